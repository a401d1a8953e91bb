import Coding
import NIOCore

extension RequestBody {
    /// The body without its coding, a piece at a time: what is held is a part of it as it came, and a piece of what that
    /// stands for.
    ///
    /// - Parameters:
    ///   - coding: What it is compressed with.
    ///   - limits: The ratio holds at every moment, for what has come until then; a limit on the whole there is none.
    /// - Returns: A body that throws what this one does, ``Rejection/inflatesTooMuch(ratio:)``, or
    ///   ``Rejection/malformed(reason:)`` if it is not in its coding, or not whole.
    func inflated(_ coding: ContentCoding, limits: Inflation) -> RequestBody {
        let body = InflatedBody(source: self, coding: coding, limits: limits)
        return RequestBody { try await body.next() }
    }

    /// The body with a part before it that was taken off.
    func following(_ first: ByteBuffer?) -> RequestBody {
        let head = PartBefore(first)
        return RequestBody { if let part = head.take() { part } else { try await next() } }
    }
}

/// A part that is handed out once.
///
/// `@unchecked Sendable`: whoever reads a ``RequestBody`` asks for a part only when the one before is there.
private final class PartBefore: @unchecked Sendable {
    private var part: ByteBuffer?

    init(_ part: ByteBuffer?) { self.part = part }

    func take() -> ByteBuffer? { part.take() }
}

/// The state of a body that is inflated as it comes.
///
/// `@unchecked Sendable`: whoever reads a ``RequestBody`` asks for a part only when the one before is there.
private final class InflatedBody: @unchecked Sendable {
    /// The most bytes of one part.
    private static let partBytes = 64 << 10

    private let source: RequestBody
    private let coding: ContentCoding
    private let limits: Inflation
    private var inflater: Inflater?
    private var input = ByteBuffer()
    private var received = 0
    private var produced = 0
    private var last = Inflater.Step.hungry

    init(source: RequestBody, coding: ContentCoding, limits: Inflation) {
        self.source = source
        self.coding = coding
        self.limits = limits
    }

    func next() async throws -> ByteBuffer? {
        while true {
            if case .full = last {} else if try await !fill() { return nil }
            guard let inflater else { continue }
            var output = ByteBuffer()
            last = inflater.step(&input, into: &output, room: Self.partBytes)
            if case .broken = last { throw Inflation.broken(coding) }
            (produced, _) = produced.addingReportingOverflow(output.readableBytes)
            guard produced <= limits.mostBytes(of: received) else {
                throw Rejection.inflatesTooMuch(ratio: limits.maxRatio)
            }
            if output.readableBytes > 0 { return output }
        }
    }

    /// Takes the next part as it comes; false behind the last one.
    private func fill() async throws -> Bool {
        guard let part = try await source.next() else {
            guard case .complete = last else { throw Inflation.broken(coding) }
            return false
        }
        (received, _) = received.addingReportingOverflow(part.readableBytes)
        if input.readableBytes == 0 { input = part } else { input.writeImmutableBuffer(part) }
        if inflater == nil, input.readableBytes >= 2 {
            inflater = Inflater(coding, beginning: input)
            if inflater == nil { throw Inflation.broken(coding) }
        }
        return true
    }
}
