import COpenSSL

/// The keys of a file, by their digests: the file does not tell a key to who reads it.
struct APIKeys: Sendable {
    /// What is wrong with a line.
    enum LineFault: Hashable, Sendable {
        case notThreeWords
        case unknownScope
        case notADigest
        case secondName
        case secondDigest
    }

    /// A line that cannot be used, counted from 1.
    struct Fault: Error, Hashable, Sendable {
        let line: Int
        let reason: LineFault
    }

    private struct Entry: Sendable {
        let name: String
        let scopes: Set<AccessScope>
        let digest: [UInt8]
    }

    private static let digestBytes = 32
    private let entries: [Entry]

    /// Reads lines of `NAME SCOPE[,SCOPE...] SHA256`, the digest in 64 hexadecimal digits; empty lines and
    /// those that begin with `#` do not count.
    ///
    /// - Throws: `Fault`: one bad line spoils the file, as half the keys are worse than the ones before.
    init(_ text: String) throws(Fault) {
        var entries: [Entry] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let fault = { (reason: LineFault) in Fault(line: index + 1, reason: reason) }
            guard words.count == 3 else { throw fault(.notThreeWords) }
            var scopes: Set<AccessScope> = []
            for word in words[1].split(separator: ",", omittingEmptySubsequences: false) {
                guard let scope = AccessScope(rawValue: String(word)) else { throw fault(.unknownScope) }
                scopes.insert(scope)
            }
            guard let digest = Self.bytes(hexadecimal: words[2]) else { throw fault(.notADigest) }
            guard !entries.contains(where: { $0.name == first }) else { throw fault(.secondName) }
            guard !entries.contains(where: { $0.digest == digest }) else { throw fault(.secondDigest) }
            entries.append(Entry(name: String(first), scopes: scopes, digest: digest))
        }
        self.entries = entries
    }

    /// How many keys there are.
    var count: Int { entries.count }

    /// What a key may be used for; nil if it is none of these.
    ///
    /// Every digest is compared, and all of it, so that the time tells nothing of how near a key came.
    func scopes(of key: String) -> Set<AccessScope>? {
        var digest = [UInt8](repeating: 0, count: Self.digestBytes)
        var key = key
        let isDigested = key.withUTF8 { bytes in
            EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1
        }
        guard isDigested else { return nil }
        var found: Int?
        for (index, entry) in entries.enumerated()
        where CRYPTO_memcmp(entry.digest, digest, Self.digestBytes) == 0 {
            found = index
        }
        return found.map { entries[$0].scopes }
    }

    private static func bytes(hexadecimal text: Substring) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard text.utf8.count == 2 * digestBytes, digits.count == 2 * digestBytes else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension APIKeys.Fault: CustomStringConvertible {
    /// Line and rule, without what stands there.
    var description: String {
        let rule =
            switch reason {
            case .notThreeWords: "a line is NAME SCOPE[,SCOPE...] SHA256"
            case .unknownScope:
                "a scope is one of \(AccessScope.allCases.map(\.rawValue).joined(separator: ", "))"
            case .notADigest: "a digest is 64 hexadecimal digits"
            case .secondName: "the name stands there twice"
            case .secondDigest: "the digest stands there twice"
            }
        return "line \(line): \(rule)"
    }
}
