import NIOConcurrencyHelpers
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The certificate a server shows, and whom it wants one of; can be read anew while connections are open.
///
/// TLS 1.2 and 1.3. A connection keeps what it began with.
///
/// ```swift
/// let identity = try TLSIdentity(.init(certificate: "server.pem", key: "server.key"))
/// let server = Server(configuration: configuration, responder: api, logger: logger, tls: identity)
/// ```
public final class TLSIdentity: Sendable {
    /// Where certificates and key are, in PEM.
    public struct Files: Sendable, Equatable {
        /// The server's certificate, and those between it and the root.
        public var certificate: String
        /// Its private key, without a passphrase.
        public var key: String
        /// The authorities of clients; with them every client has to show a certificate.
        public var clientAuthorities: String?

        /// The files of an identity.
        ///
        /// - Parameters:
        ///   - certificate: The server's certificate, and those between it and the root.
        ///   - key: Its private key.
        ///   - clientAuthorities: The authorities of clients; nil if none has to show a certificate.
        public init(certificate: String, key: String, clientAuthorities: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.clientAuthorities = clientAuthorities
        }

        fileprivate var stamps: [FileStamp?] {
            [certificate, key, clientAuthorities].map { $0.flatMap { FileStamp($0) } }
        }
    }

    /// Why an identity cannot be used.
    public struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
        /// File and reason in one line, without anything of the key.
        public let description: String
    }

    private struct State: Sendable {
        var context: NIOSSLContext
        var stamps: [FileStamp?]
    }

    private let files: Files
    private let protocols: [String]
    private let state: NIOLockedValueBox<State>

    /// Reads certificates and key.
    ///
    /// - Parameters:
    ///   - files: Where they are.
    ///   - speaksHTTP2: Whether clients may choose HTTP/2.
    /// - Throws: ``FileFault``.
    public init(_ files: Files, speaksHTTP2: Bool = true) throws(FileFault) {
        self.files = files
        protocols = speaksHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        state = NIOLockedValueBox(try Self.read(files, protocols))
    }

    /// Whether a file is another one than was read last.
    public var isStale: Bool { state.withLockedValue { $0.stamps } != files.stamps }

    /// What the next connection begins with.
    var context: NIOSSLContext { state.withLockedValue { $0.context } }

    /// Reads the files again; if they cannot be used, all stays as it is, and the same files are not stale any more.
    ///
    /// - Throws: ``FileFault``.
    public func reload() throws(FileFault) {
        let stamps = files.stamps
        do {
            let new = try Self.read(files, protocols)
            state.withLockedValue { $0 = new }
        } catch {
            state.withLockedValue { $0.stamps = stamps }
            throw error
        }
    }

    private static func read(_ files: Files, _ protocols: [String]) throws(FileFault) -> State {
        // Taken first: a change while they are read is then seen as one.
        let stamps = files.stamps
        let certificates = try Self.certificates(files.certificate)
        guard let key = try? NIOSSLPrivateKey(file: files.key, format: .pem) else {
            throw FileFault(description: "\(files.key): not a private key in PEM without a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        if let path = files.clientAuthorities {
            configuration.trustRoots = .certificates(try Self.certificates(path))
            configuration.certificateVerification = .noHostnameVerification
            configuration.sendCANameList = true
        }
        do {
            return State(context: try NIOSSLContext(configuration: configuration), stamps: stamps)
        } catch {
            throw FileFault(description: "\(files.certificate): does not go with the key \(files.key)")
        }
    }

    private static func certificates(_ path: String) throws(FileFault) -> [NIOSSLCertificate] {
        guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
            throw FileFault(description: "\(path): no certificate in PEM")
        }
        return found
    }
}
