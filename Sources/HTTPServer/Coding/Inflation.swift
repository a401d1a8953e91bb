import Coding
import NIOCore

/// Takes compressed bodies apart, within limits: a few bytes can stand for a thousand times as many.
struct Inflation: Sendable {
    /// Up to this many bytes a body may come to whatever its ratio.
    static let freeBytes = 64 << 10

    /// The most bytes of a body after inflation, if it is inflated as a whole.
    let maxBytes: Int
    /// How many times as long as it came a body may become.
    let maxRatio: Int

    /// The bytes a compressed body stands for.
    ///
    /// - Throws: ``Rejection/bodyTooLarge(limit:)``, ``Rejection/inflatesTooMuch(ratio:)``, or
    ///   ``Rejection/malformed(reason:)`` if the body is not in its coding, or not whole.
    /// - Complexity: Stops at the limit, before memory is taken for more.
    func inflate(_ body: ByteBuffer, _ coding: ContentCoding) throws(Rejection) -> ByteBuffer {
        let limit = min(maxBytes, mostBytes(of: body.readableBytes))
        guard let inflater = Inflater(coding, beginning: body) else { throw Self.broken(coding) }
        var input = body
        var output = ByteBuffer()
        output.reserveCapacity(min(limit, max(4096, min(input.readableBytes, limit) * 4)))
        while true {
            // One byte more than the limit tells a body of just that length from a longer one.
            let room = min(max(output.writableBytes, 64 << 10), limit + 1 - output.readableBytes)
            let step = inflater.step(&input, into: &output, room: room)
            guard output.readableBytes <= limit else {
                throw limit == maxBytes ? .bodyTooLarge(limit: maxBytes) : .inflatesTooMuch(ratio: maxRatio)
            }
            switch step {
            case .full: continue
            case .complete: return output
            case .hungry, .broken: throw Self.broken(coding)
            }
        }
    }

    /// What a body may come to of which so many bytes have come.
    func mostBytes(of count: Int) -> Int {
        let (product, overflows) = count.multipliedReportingOverflow(by: maxRatio)
        return max(Self.freeBytes, overflows ? .max : product)
    }

    /// Why a body cannot be read.
    static func broken(_ coding: ContentCoding) -> Rejection {
        .malformed(reason: "the body is not \(coding.rawValue), or not whole")
    }
}
