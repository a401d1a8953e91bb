import Coding

/// What header fields say of codings.
extension ContentCoding {
    /// What a body is coded with.
    enum Applied: Equatable {
        case nothing
        case known(ContentCoding)
        /// Another coding, or more than one.
        case unknown
    }

    /// Reads `Content-Encoding`, several fields joined by commas.
    static func applied(_ field: String) -> Applied {
        var found = Applied.nothing
        for item in field.split(separator: ",") {
            let name = trimmed(item)
            if name == "identity" || name.isEmpty { continue }
            guard found == .nothing, let coding = ContentCoding(name: name) else { return .unknown }
            found = .known(coding)
        }
        return found
    }

    /// Reads `Accept-Encoding`, several fields joined by commas: the coding the client likes best.
    ///
    /// - Returns: Nil if it takes neither. Of equals, the first case; a weight that is no number counts as 0.
    static func preferred(_ field: String) -> ContentCoding? {
        var weights: [ContentCoding: Double] = [:]
        var others: Double?
        for item in field.split(separator: ",") {
            let parts = item.split(separator: ";", omittingEmptySubsequences: false)
            let name = trimmed(parts[0])
            var weight = 1.0
            for parameter in parts.dropFirst() {
                let text = trimmed(parameter)
                if text.hasPrefix("q=") { weight = Double(text.dropFirst(2)) ?? 0 }
            }
            if name == "*" {
                others = weight
            } else if let coding = ContentCoding(name: name) {
                weights[coding] = weight
            }
        }
        var best: (coding: ContentCoding, weight: Double)?
        for coding in allCases {
            let weight = weights[coding] ?? others ?? 0
            if weight > best?.weight ?? 0 { best = (coding, weight) }
        }
        return best?.coding
    }

    private init?(name: String) {
        self.init(rawValue: name == "x-gzip" ? "gzip" : name)
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var bytes = text.utf8.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return Substring(bytes).lowercased()
    }
}
