import Coding
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import HTTPServer

@Suite struct InflatedBodyTests {
    private let limits = Inflation(maxBytes: 10, maxRatio: 100)

    /// A body that comes in parts of a size.
    private func body(_ bytes: ByteBuffer, parts size: Int) -> RequestBody {
        let rest = NIOLockedValueBox(bytes)
        return RequestBody {
            rest.withLockedValue { rest in
                rest.readableBytes == 0 ? nil : rest.readSlice(length: min(size, rest.readableBytes))
            }
        }
    }

    /// All of a body, and the size of its longest part.
    private func whole(_ body: RequestBody) async throws -> (bytes: ByteBuffer, longest: Int) {
        var (bytes, longest) = (ByteBuffer(), 0)
        while let part = try await body.next() {
            #expect(part.readableBytes > 0)
            bytes.writeImmutableBuffer(part)
            longest = max(longest, part.readableBytes)
        }
        #expect(try await body.next() == nil)
        return (bytes, longest)
    }

    @Test(arguments: ContentCoding.allCases, [1, 2, 3, 100, 1 << 20])
    func `what is compressed comes out as it was, however it is cut`(coding: ContentCoding, size: Int)
        async throws
    {
        for count in [0, 1, 1000, 200_000] {
            let sent = try coded(halfRandom(count), coding)
            let found = try await whole(body(sent, parts: size).inflated(coding, limits: limits))
            #expect(found.bytes == halfRandom(count))
            #expect(found.longest <= 64 << 10)
        }
    }

    @Test(arguments: [1, 7, 1 << 20])
    func `data without its wrapping and several members are read as well`(size: Int) async throws {
        var wrapped = try coded(halfRandom(1000), .deflate)
        _ = wrapped.readInteger(as: UInt16.self)
        let slice = wrapped.readSlice(length: wrapped.readableBytes - 4)
        let raw = try #require(slice)
        #expect(
            try await whole(body(raw, parts: size).inflated(.deflate, limits: limits)).bytes
                == halfRandom(1000)
        )
        var members = try coded(halfRandom(1000))
        members.writeImmutableBuffer(try coded(ByteBuffer()))
        members.writeImmutableBuffer(try coded(halfRandom(500)))
        let found = try await whole(body(members, parts: size).inflated(.gzip, limits: limits))
        #expect(found.bytes.readableBytes == 1500)
    }

    @Test(arguments: ContentCoding.allCases)
    func `a part that is complete for itself is there before the next one comes`(coding: ContentCoding)
        async throws
    {
        let deflater = try #require(Deflater(coding, level: 1, expectedBytes: .max))
        let parts = (0..<5).map { deflater.part(ByteBuffer(string: "line \($0)\n")) }
        let given = NIOLockedValueBox(0)
        let inflated = RequestBody {
            given.withLockedValue { given in
                given += 1
                return given <= parts.count ? parts[given - 1] : given == 6 ? deflater.last() : nil
            }
        }.inflated(coding, limits: limits)
        for number in 0..<5 {
            let part = try #require(try await inflated.next())
            #expect(String(buffer: part) == "line \(number)\n")
            #expect(given.withLockedValue { $0 } == number + 1)
        }
        #expect(try await inflated.next() == nil)
    }

    @Test(arguments: ContentCoding.allCases, [1, 1 << 20])
    func `a body that is cut, changed or followed by something is refused`(coding: ContentCoding, size: Int)
        async throws
    {
        let good = try coded(halfRandom(1000), coding)
        let refused = Inflation.broken(coding)
        for length in stride(from: 0, to: good.readableBytes, by: 7) {
            let cut = try #require(good.getSlice(at: 0, length: length))
            await #expect(throws: refused) {
                try await whole(body(cut, parts: size).inflated(coding, limits: limits))
            }
        }
        var longer = good
        longer.writeString("x")
        await #expect(throws: refused) {
            try await whole(body(longer, parts: size).inflated(coding, limits: limits))
        }
        await #expect(throws: Inflation.broken(.gzip)) {
            try await whole(body(halfRandom(100), parts: size).inflated(.gzip, limits: limits))
        }
    }

    @Test func `a bomb ends where its ratio is over the limit, and a long honest body has no limit`()
        async throws
    {
        let bomb = try coded(ByteBuffer(repeating: UInt8(ascii: "0"), count: 16 << 20))
        let inflated = body(bomb, parts: 100).inflated(.gzip, limits: limits)
        var taken = 0
        await #expect(throws: Rejection.inflatesTooMuch(ratio: 100)) {
            while let part = try await inflated.next() { taken += part.readableBytes }
        }
        #expect(taken <= max(Inflation.freeBytes, 100 * bomb.readableBytes))
        let long = try coded(halfRandom(1 << 20))
        let honest = try await whole(body(long, parts: 1000).inflated(.gzip, limits: limits))
        #expect(honest.bytes.readableBytes == 1 << 20)
    }

    @Test func `what keeps the body from coming is passed on`() async throws {
        struct Gone: Error {}
        let gone = RequestBody { throw Gone() }.inflated(.gzip, limits: limits)
        await #expect(throws: Gone.self) { try await gone.next() }
    }
}
