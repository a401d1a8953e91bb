import FoundationEssentials

/// Where a collector listens: `http[s]://HOST[:PORT][/PATH]`.
public struct CollectorURL: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, without brackets.
    public let host: String
    /// The port; 80 or 443 if not given.
    public let port: Int
    /// The path, with the query if there is one; `/` if not given.
    public let path: String
    /// Whether the connection is encrypted.
    public let isSecure: Bool

    /// Reads an address.
    ///
    /// - Parameter text: `http[s]://HOST[:PORT][/PATH]`, an IPv6 host in brackets. Names and passwords may not stand in it:
    ///   it is printed.
    public init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty,
            parts.user == nil, parts.password == nil, parts.fragment == nil
        else { return nil }
        let port = parts.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65535).contains(port) else { return nil }
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        isSecure = scheme == "https"
        let path = parts.percentEncodedPath
        self.path = (path.isEmpty ? "/" : path) + (parts.percentEncodedQuery.map { "?\($0)" } ?? "")
    }

    private init(host: String, port: Int, path: String, isSecure: Bool) {
        (self.host, self.port, self.path, self.isSecure) = (host, port, path, isSecure)
    }

    /// Where spans go if this is the place of a whole collector.
    ///
    /// - SeeAlso: OpenTelemetry protocol exporter, Endpoint URLs for OTLP/HTTP.
    public var traces: CollectorURL {
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return CollectorURL(host: host, port: port, path: base + "/v1/traces", isSecure: isSecure)
    }

    /// Host and port as they stand in a request.
    var authority: String { "\(host.contains(":" as Character) ? "[\(host)]" : host):\(port)" }

    /// As it was read, with its port.
    public var description: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }
}
