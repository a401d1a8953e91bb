import ArgumentParser
import HTTPServer

/// Where a server listens besides host and port, and who may talk to it; each can be given as an environment
/// variable as well.
struct ListenerOptions: ParsableArguments {
    @Option(help: "A Unix domain socket to listen on, instead of host and port.")
    var unixSocket: String?
    @Option(help: "A port of its own for metrics and control, without TLS; 0 takes a free one and prints it.")
    var adminPort: Int?
    @Option(help: "The certificate to show, and those between it and the root, in PEM; makes it HTTPS.")
    var tlsCertificate: String?
    @Option(help: "The private key of the certificate, in PEM without a passphrase.")
    var tlsKey: String?
    @Option(help: "The authorities of clients, in PEM; with them every client must show a certificate.")
    var tlsClientCa: String?
    @Option(help: "A file of lines NAME SCOPE[,SCOPE...] SHA256: requests then need a key.")
    var apiKeys: String?
    @Option(help: "The origins whose pages may read answers, separated by commas; * is any.")
    var corsOrigin: String?
}

/// What holds, each with where it came from.
struct ListenerSettings: Sendable {
    let unixSocket: Setting<Optionally<String>>
    let adminPort: Setting<Optionally<Int>>
    let tlsCertificate: Setting<Optionally<String>>
    let tlsKey: Setting<Optionally<String>>
    let tlsClientCa: Setting<Optionally<String>>
    let apiKeys: Setting<Optionally<String>>
    let corsOrigin: Setting<Optionally<String>>

    /// Settles every option; no file is read.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: ListenerOptions, environment: [String: String]) throws {
        let read = SettingReader(environment)
        unixSocket = try read.text("unix-socket", options.unixSocket, rule: "a path")
        adminPort = try Setting(
            "admin-port",
            flag: options.adminPort.map { Optionally<Int>(Optional($0)) },
            environment: environment,
            default: Optionally<Int>(nil as Int?),
            rule: "an integer in 0 ... 65535",
            where: { $0.value.map((0...65535).contains) ?? true }
        )
        tlsCertificate = try read.text("tls-certificate", options.tlsCertificate, rule: "a file")
        tlsKey = try read.text("tls-key", options.tlsKey, rule: "a file")
        tlsClientCa = try read.text("tls-client-ca", options.tlsClientCa, rule: "a file")
        apiKeys = try read.text("api-keys", options.apiKeys, rule: "a file")
        corsOrigin = try read.text("cors-origin", options.corsOrigin, rule: "origins, separated by commas")
        guard (tlsCertificate.value.value == nil) == (tlsKey.value.value == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
        guard tlsClientCa.value.value == nil || tlsKey.value.value != nil else {
            throw ValidationError("--tls-client-ca needs --tls-certificate and --tls-key")
        }
    }

    /// Where the certificate and its key are; nil without TLS.
    var tlsFiles: TLSIdentity.Files? {
        guard let certificate = tlsCertificate.value.value, let key = tlsKey.value.value else { return nil }
        return TLSIdentity.Files(
            certificate: certificate,
            key: key,
            clientAuthorities: tlsClientCa.value.value
        )
    }

    /// Sets what concerns traffic.
    ///
    /// - Parameter configuration: Is changed.
    func apply(to configuration: inout ServerConfiguration) {
        configuration.unixSocketPath = unixSocket.value.value
        configuration.asksBeforeBody = apiKeys.value.value != nil
        configuration.cors = corsOrigin.value.value.map { list in
            CORSPolicy(origins: list.split(separator: ",").map(String.init))
        }
    }

    /// Every option with its value and where it came from; paths and names, no secrets.
    var summary: String {
        [
            unixSocket.summary, adminPort.summary, tlsCertificate.summary, tlsKey.summary,
            tlsClientCa.summary, apiKeys.summary, corsOrigin.summary,
        ].joined(separator: " ")
    }
}
