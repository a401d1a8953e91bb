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
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
        if isWithinLimit {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.maxHeaderBytes
            limits.maxHeaderListSize = configuration.maxHeaderBytes
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
        }
        try pipeline.addHandler(
            ConnectionHandler(
                configuration: configuration,
                responder: responder,
                registry: registry,
                logger: logger,
                refusal: isWithinLimit ? nil : .tooManyConnections(limit: limit)
            )
        )
    }
}
