internal import COpenSSL
public import FoundationEssentials

/// Digests of bytes, by OpenSSL's libcrypto.
public enum Digest {
    /// The SHA-256 digest of bytes: the version tag of a model file.
    ///
    /// - Parameter bytes: Any bytes.
    /// - Returns: 64 lower-case hexadecimal digits.
    public static func sha256Hex(_ bytes: Data) -> String { hex(sha256(bytes)) }

    /// The SHA-256 digest of bytes.
    ///
    /// - Parameter bytes: Any bytes.
    /// - Returns: 32 bytes.
    public static func sha256(_ bytes: Data) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let done = bytes.withUnsafeBytes { source in
            EVP_Digest(source.baseAddress, source.count, &digest, &length, EVP_sha256(), nil)
        }
        precondition(done == 1 && length == 32, "libcrypto always has SHA-256")
        return digest
    }

    /// Bytes as text.
    ///
    /// - Parameter bytes: Any bytes.
    /// - Returns: Two lower-case hexadecimal digits a byte.
    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }
}
