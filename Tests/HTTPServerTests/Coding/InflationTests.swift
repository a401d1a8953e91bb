import Coding
import NIOCore
import Testing

@testable import HTTPServer

@Suite struct InflationTests {
    private let limits = Inflation(maxBytes: 1 << 20, maxRatio: 100)

    @Test(arguments: ContentCoding.allCases, [1, 6, 9])
    func `what is compressed comes out as it was`(coding: ContentCoding, level: Int) throws {
        for count in [0, 1, 100, 8 << 10, 8 << 10 + 1, 100_000, 1 << 20] {
            let bytes = halfRandom(count)
            #expect(try limits.inflate(coded(bytes, coding, level: level), coding) == bytes)
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func `parts can be read as they come, and together are the whole`(coding: ContentCoding) throws {
        let deflater = try #require(Deflater(coding, level: 1, expectedBytes: .max))
        var all = ByteBuffer()
        for _ in 0..<3 { all.writeImmutableBuffer(deflater.part(halfRandom(1000))) }
        #expect(throws: Rejection.self) { try limits.inflate(all, coding) }
        all.writeImmutableBuffer(deflater.last())
        var expected = ByteBuffer()
        for _ in 0..<3 { expected.writeImmutableBuffer(halfRandom(1000)) }
        #expect(try limits.inflate(all, coding) == expected)
    }

    @Test func `a deflate body without its wrapping is read as well`() throws {
        var wrapped = try coded(halfRandom(1000), .deflate)
        _ = wrapped.readInteger(as: UInt16.self)
        let slice = wrapped.readSlice(length: wrapped.readableBytes - 4)
        let raw = try #require(slice)
        #expect(try limits.inflate(raw, .deflate) == halfRandom(1000))
    }

    @Test func `a gzip body of several members is read whole`() throws {
        var both = try coded(halfRandom(1000))
        both.writeImmutableBuffer(try coded(halfRandom(500)))
        #expect(try limits.inflate(both, .gzip).readableBytes == 1500)
    }

    @Test(arguments: ContentCoding.allCases)
    func `a body that is cut, changed or followed by something is refused`(coding: ContentCoding) throws {
        let good = try coded(halfRandom(1000), coding)
        for length in 0..<good.readableBytes {
            let cut = try #require(good.getSlice(at: 0, length: length))
            #expect(throws: Rejection.self, "\(length)") { try limits.inflate(cut, coding) }
        }
        var longer = good
        longer.writeString("x")
        #expect(throws: Rejection.malformed(reason: "the body is not \(coding), or not whole")) {
            try limits.inflate(longer, coding)
        }
    }

    @Test func `random bytes never break it`() {
        for seed in 0..<2000 {
            var generator = SystemRandomNumberGenerator()
            var bytes = (0..<(seed % 64)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if seed % 2 == 0 { bytes = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + bytes }
            for coding in ContentCoding.allCases {
                _ = try? limits.inflate(ByteBuffer(bytes: bytes), coding)
            }
        }
    }

    @Test func `a body may come to just the limit and not to a byte more`() throws {
        for count in [1000, 100_000] {
            let exact = Inflation(maxBytes: count, maxRatio: 1 << 20)
            #expect(try exact.inflate(coded(halfRandom(count)), .gzip).readableBytes == count)
            #expect(throws: Rejection.bodyTooLarge(limit: count)) {
                try exact.inflate(coded(halfRandom(count + 1)), .gzip)
            }
        }
    }

    @Test func `a bomb is refused by its ratio, a short body is not`() throws {
        let zeros = ByteBuffer(repeating: UInt8(ascii: "0"), count: 512 << 10)
        let bomb = try coded(zeros)
        #expect(zeros.readableBytes > 100 * bomb.readableBytes)
        #expect(throws: Rejection.inflatesTooMuch(ratio: 100)) { try limits.inflate(bomb, .gzip) }
        let lenient = Inflation(maxBytes: 1 << 20, maxRatio: 1100)
        #expect(try lenient.inflate(bomb, .gzip) == zeros)
        let short = ByteBuffer(repeating: UInt8(ascii: "0"), count: Inflation.freeBytes)
        #expect(try limits.inflate(coded(short), .gzip) == short)
    }
}
