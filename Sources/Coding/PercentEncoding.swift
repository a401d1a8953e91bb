/// Percent-decoding of RFC 3986, section 2.1.
public enum PercentEncoding {
    /// Whether every `/`-separated segment of a path can be decoded.
    public static func isValid(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard path.contains(UInt8(ascii: "%")) else { return true }
        return path.split(separator: UInt8(ascii: "/")).allSatisfy {
            decode(UnsafeBufferPointer(rebasing: $0)) != nil
        }
    }

    /// Decodes every `%XX`; `+` stays `+`.
    ///
    /// - Parameter text: A path segment or a field's value, valid UTF-8.
    /// - Returns: Nil if a `%` is not followed by two hexadecimal digits, if the result is not UTF-8, or if
    ///   it contains a control character.
    public static func decode(_ text: UnsafeBufferPointer<UInt8>) -> String? {
        guard text.contains(UInt8(ascii: "%")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
