import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

extension ConnectionHandler {
    /// Builds the pipeline of a new connection; one over the limit gets its refusal and nothing is parsed.
    ///
    /// - Throws: `ChannelError.ioOnClosedChannel` if the server is closing its connections, and what the pipeline
    ///   throws if the channel is closed already.
    static func install(
        on channel: any Channel,
        configuration: ServerConfiguration,
        responder: any Responder,
        registry: ConnectionRegistry,
        logger: Logger,
        tls: TLSIdentity? = nil
    ) throws {
        let isWithinLimit = try registry.add(channel) <= configuration.maxConnections
        let limit = configuration.maxConnections
        let pipeline = channel.pipeline.syncOperations
        let handler = ConnectionHandler(
            configuration: configuration,
            responder: responder,
            registry: registry,
            logger: logger,
            refusal: isWithinLimit ? nil : .tooManyConnections(limit: limit)
        )
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
        if isWithinLimit {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.maxHeaderBytes
            limits.maxHeaderListSize = configuration.maxHeaderBytes
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits))
            if configuration.speaksHTTP2 {
                let detector = HTTP2Detector(isSecure: tls != nil) { context in
                    try installHTTP2(
                        behind: context,
                        configuration: configuration,
                        responder: responder,
                        registry: registry,
                        logger: logger
                    )
                    context.pipeline.syncOperations.removeHandler(decoder, promise: nil)
                    context.pipeline.syncOperations.removeHandler(handler, promise: nil)
                }
                try pipeline.addHandler(detector)
            }
            try pipeline.addHandler(decoder)
        }
        try pipeline.addHandler(handler)
    }
}
