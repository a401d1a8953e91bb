import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// What an answer is on a stream of HTTP/2: frames instead of bytes, and the end of the stream instead of the connection's.
extension ConnectionHandler {
    /// Bodies are written in frames of this size at most, so that it can be told how much of them was taken.
    static let mostFrameBytes = 16 << 10

    /// Writes the head of an answer.
    ///
    /// - Parameters:
    ///   - response: Status and header fields.
    ///   - length: Of the body; nil if there is none, or if it is not known.
    ///   - endsStream: Whether nothing follows.
    func writeStreamHead(_ response: HTTPResponse, length: Int?, endsStream: Bool) {
        let fields = encoder.fields(of: response, length: length, requestID: requestHead.requestID)
        write(.headers(.init(headers: fields, endStream: endsStream)))
    }

    /// Writes the last part of an answer, if it has not ended with its head; the stream then closes by itself.
    func finishStream(with body: ByteBuffer?) {
        phase = .lingering
        if let body { writeStreamBody(body, endsStream: true, promise: nil) } else { context?.flush() }
        if phase == .lingering { expectWrite() }
    }

    /// Writes `100 Continue`.
    func writeStreamContinue() {
        write(.headers(.init(headers: [":status": "100"])))
        context?.flush()
    }

    /// Writes a part of a body, in frames.
    ///
    /// - Parameters:
    ///   - bytes: May be none.
    ///   - endsStream: Whether it is the last.
    ///   - promise: Succeeds when all of it has gone out.
    func writeStreamBody(_ bytes: ByteBuffer, endsStream: Bool, promise: EventLoopPromise<Void>?) {
        var rest = bytes
        while rest.readableBytes > Self.mostFrameBytes, let part = rest.readSlice(length: Self.mostFrameBytes)
        {
            write(.data(.init(data: .byteBuffer(part))), counting: part.readableBytes)
        }
        write(
            .data(.init(data: .byteBuffer(rest), endStream: endsStream)),
            counting: rest.readableBytes,
            promise: promise
        )
        context?.flush()
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload,
        counting count: Int = 0,
        promise: EventLoopPromise<Void>? = nil
    ) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard count > 0 else { return context.write(NIOAny(payload), promise: promise) }
        streamBytes += count
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.streamBytes -= count }
        context.write(NIOAny(payload), promise: written)
    }
}

extension ResponseEncoder {
    /// The head of an answer as the fields of HTTP/2, whose names are in lower case.
    ///
    /// - Parameters:
    ///   - response: Status and header fields; those that would break the framing are left out.
    ///   - length: Of the body, if it is to be told.
    ///   - requestID: The request's id.
    /// - Returns: The fields.
    mutating func fields(of response: HTTPResponse, length: Int?, requestID: String) -> HPACKHeaders {
        var fields = HPACKHeaders()
        fields.reserveCapacity(response.headers.count + 4)
        fields.add(name: ":status", value: String(response.status.code))
        for (name, value) in response.headers where Self.isAllowed(name) {
            fields.add(name: name.lowercased(), value: Self.clean(value))
        }
        if let length { fields.add(name: "content-length", value: String(length)) }
        fields.add(name: "x-request-id", value: requestID)
        fields.add(name: "date", value: date.now())
        return fields
    }

    /// A value may carry what a client sent: line ends and control characters become spaces.
    private static func clean(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return value }
        return String(
            decoding: value.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 },
            as: UTF8.self
        )
    }
}
