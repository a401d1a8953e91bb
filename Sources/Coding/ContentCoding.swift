/// The codings of bodies that are known here (RFC 9110, section 8.4.1), by the names that stand in `Content-Encoding`.
public enum ContentCoding: String, Sendable, CaseIterable {
    /// The format of gzip (RFC 1952).
    case gzip
    /// The format of zlib (RFC 1950).
    case deflate
}
