import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2

extension ConnectionHandler {
    /// How much of a body may be on its way before it is read, for one stream and for all of a connection.
    private static let windows = (stream: 256 << 10, connection: 1 << 20)
    /// What a setting of HTTP/2 can say of half a header.
    private static let mostHeaderBytes = 1 << 30
    /// Some clients end parts of a body with a frame that holds nothing; more of them between two requests are an attack.
    private static let mostEmptyFrames = 16

    /// Puts the handlers of HTTP/2 behind another one; every stream gets a ``ConnectionHandler`` of its own.
    ///
    /// Resets and control frames (`PING`, `SETTINGS`, `PRIORITY`) are counted, and more than 200 of a kind in 30 seconds
    /// end the connection; so do many empty or continued frames, and 200 requests that break the rules.
    static func installHTTP2(
        behind detector: ChannelHandlerContext,
        configuration: ServerConfiguration,
        responder: any Responder,
        registry: ConnectionRegistry,
        logger: Logger
    ) throws {
        let channel = detector.channel
        var settings = NIOHTTP2Handler.ConnectionConfiguration()
        settings.initialSettings = [
            HTTP2Setting(
                parameter: .maxConcurrentStreams,
                value: min(configuration.maxConcurrentStreams, Int(UInt32.max))
            ),
            // More than is answered, so that a head that is too large gets a status and not a broken connection.
            HTTP2Setting(
                parameter: .maxHeaderListSize,
                value: 2 * min(configuration.maxHeaderBytes, mostHeaderBytes)
            ),
            HTTP2Setting(parameter: .initialWindowSize, value: windows.stream),
        ]
        settings.targetWindowSize = windows.connection
        settings.maximumSequentialEmptyDataFrames = mostEmptyFrames
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.targetWindowSize = windows.stream
        streams.outboundBufferSizeHighWatermark = 64 << 10
        streams.outboundBufferSizeLowWatermark = 32 << 10
        let connection = HTTP2Connection(configuration: configuration, registry: registry, logger: logger)
        let handler = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: settings,
            streamConfiguration: streams,
            streamDelegate: HTTP2StreamObserver(connection, eventLoop: channel.eventLoop)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2StreamCodec(maxHeaderBytes: configuration.maxHeaderBytes))
                try pipeline.addHandler(
                    ConnectionHandler(
                        configuration: configuration,
                        responder: responder,
                        registry: registry,
                        logger: logger,
                        isStream: true
                    )
                )
            }
        }
        try detector.pipeline.syncOperations.addHandlers(
            [handler, connection],
            position: .after(detector.handler)
        )
    }
}
