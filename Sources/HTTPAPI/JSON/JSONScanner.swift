/// A strict reader of JSON (RFC 8259) that keeps no values and remembers where it is.
///
/// It runs only over texts that simdjson refused, to say what is wrong and where. It uses no recursion, and
/// memory in proportion to the depth limit and the number of integers beyond 64 bits.
struct JSONScanner {
    private enum Container {
        case array(index: Int)
        case object(key: String?)
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let maxDepth: Int
    private var at = 0
    private var open: [Container] = []
    /// The ends of integers of 19 digits or more.
    private var longIntegerEnds: [Int] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    /// Throws the first fault of the text, in the order of its bytes.
    mutating func scan() throws(BodyError) {
        skipSpace()
        guard at < bytes.count else { throw fault(.empty) }
        repeat {
            if try !openContainer() {
                try scanScalar()
                try closeContainers()
            }
        } while !open.isEmpty
        guard at == bytes.count else { throw fault(.trailingBytes(offset: at)) }
    }

    /// The text with an exponent of 0 after every long integer, which makes it a double for any reader.
    func withExponents() -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 2 * longIntegerEnds.count)
        var start = 0
        for end in longIntegerEnds {
            text += bytes[start..<end]
            text += [UInt8(ascii: "e"), UInt8(ascii: "0")]
            start = end
        }
        text += bytes[start...]
        return text
    }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func fault(_ fault: SyntaxFault) -> BodyError { .invalidJSON(fault, at: place) }

    private var place: BodyPlace {
        BodyPlace(
            open.compactMap { container in
                switch container {
                case .array(let index): .index(index)
                case .object(let key): key.map { .key($0) }
                }
            }
        )
    }

    private var unexpected: BodyError {
        fault(at < bytes.count ? .unexpectedByte(offset: at) : .unexpectedEnd(offset: at))
    }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
    }

    /// Enters an array or object; true if a value must follow.
    private mutating func openContainer() throws(BodyError) -> Bool {
        guard byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") else { return false }
        let isArray = byte == UInt8(ascii: "[")
        at += 1
        skipSpace()
        if byte == (isArray ? UInt8(ascii: "]") : UInt8(ascii: "}")) {
            at += 1
            skipSpace()
            try closeContainers(afterEmpty: true)
            return true
        }
        guard open.count < maxDepth else { throw fault(.tooDeep(limit: maxDepth)) }
        if isArray {
            open.append(.array(index: 0))
        } else {
            open.append(.object(key: nil))
            try scanKey()
        }
        return true
    }

    /// After a value: closes what ends here and steps to the next value, if there is one.
    private mutating func closeContainers(afterEmpty: Bool = false) throws(BodyError) {
        skipSpace()
        while let last = open.last {
            switch last {
            case .array(let index):
                if byte == UInt8(ascii: ",") {
                    at += 1
                    skipSpace()
                    open[open.count - 1] = .array(index: index + 1)
                    return
                }
                guard byte == UInt8(ascii: "]") else { throw unexpected }
            case .object:
                if byte == UInt8(ascii: ",") {
                    at += 1
                    skipSpace()
                    try scanKey()
                    return
                }
                guard byte == UInt8(ascii: "}") else { throw unexpected }
            }
            at += 1
            open.removeLast()
            skipSpace()
        }
    }

    private mutating func scanKey() throws(BodyError) {
        open[open.count - 1] = .object(key: nil)
        guard byte == UInt8(ascii: "\"") else { throw unexpected }
        let start = at + 1
        try scanString()
        let key = String(decoding: bytes[start..<at - 1], as: UTF8.self)
        open[open.count - 1] = .object(key: key)
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw unexpected }
        at += 1
        skipSpace()
    }

    private mutating func scanScalar() throws(BodyError) {
        guard let byte else { throw unexpected }
        switch byte {
        case UInt8(ascii: "\""): try scanString()
        case UInt8(ascii: "t"): try scanWord("true")
        case UInt8(ascii: "f"): try scanWord("false")
        case UInt8(ascii: "n"): try scanWord("null")
        case UInt8(ascii: "N"), UInt8(ascii: "I"): try scanNonFinite(from: at)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber()
        case UInt8(ascii: "+"), UInt8(ascii: "."): throw fault(.invalidNumber(offset: at))
        default: throw unexpected
        }
    }

    private func stands(_ word: StaticString) -> Bool {
        guard bytes.count - at >= word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { $0.elementsEqual(bytes[at..<at + $0.count]) }
    }

    private mutating func scanWord(_ word: StaticString) throws(BodyError) {
        guard stands(word) else {
            let start = at
            if stands("nan") { throw fault(.nonFiniteNumber(offset: start)) }
            word.withUTF8Buffer { word in
                for letter in word where byte == letter && at - start < word.count { at += 1 }
            }
            throw unexpected
        }
        at += word.utf8CodeUnitCount
    }

    private func scanNonFinite(from start: Int) throws(BodyError) {
        throw stands("NaN") || stands("Inf") ? fault(.nonFiniteNumber(offset: start)) : unexpected
    }

    private mutating func scanDigits() -> Int {
        let start = at
        while let byte, byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") { at += 1 }
        return at - start
    }

    private mutating func scanNumber() throws(BodyError) {
        let start = at
        if byte == UInt8(ascii: "-") {
            at += 1
            if byte == UInt8(ascii: "I") || byte == UInt8(ascii: "N") { try scanNonFinite(from: start) }
        }
        let firstDigit = byte
        let digits = scanDigits()
        guard digits > 0 else {
            throw at < bytes.count ? fault(.invalidNumber(offset: start)) : unexpected
        }
        guard digits == 1 || firstDigit != UInt8(ascii: "0") else {
            throw fault(.invalidNumber(offset: start))
        }
        var isInteger = true
        if byte == UInt8(ascii: ".") {
            at += 1
            isInteger = false
            guard scanDigits() > 0 else {
                throw at < bytes.count ? fault(.invalidNumber(offset: start)) : unexpected
            }
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            at += 1
            isInteger = false
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { at += 1 }
            guard scanDigits() > 0 else {
                throw at < bytes.count ? fault(.invalidNumber(offset: start)) : unexpected
            }
        }
        if isInteger && digits >= 19 { longIntegerEnds.append(at) }
        guard isInteger && digits < 300 || Double(number(from: start))?.isFinite == true else {
            throw .invalidInput(.outOfFloatRange, at: place)
        }
    }

    private func number(from start: Int) -> String { String(decoding: bytes[start..<at], as: UTF8.self) }

    private mutating func scanString() throws(BodyError) {
        at += 1
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return
            case UInt8(ascii: "\\"): try scanEscape()
            case 0..<0x20: throw fault(.invalidString(offset: at))
            case 0..<0x80: at += 1
            default: try scanMultibyte(byte)
            }
        }
        throw unexpected
    }

    private mutating func scanEscape() throws(BodyError) {
        let start = at
        at += 1
        guard let byte else { throw unexpected }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"): break
        default: throw fault(.invalidString(offset: start))
        }
        let unit = try scanHex(escape: start)
        guard unit & 0xF800 == 0xD800 else { return }
        guard unit < 0xDC00, byte == UInt8(ascii: "u"), stands("\\u") else {
            throw fault(.invalidString(offset: start))
        }
        at += 2
        guard try scanHex(escape: start) & 0xFC00 == 0xDC00 else {
            throw fault(.invalidString(offset: start))
        }
    }

    private mutating func scanHex(escape start: Int) throws(BodyError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte else { throw unexpected }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                unit = unit << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw fault(.invalidString(offset: start))
            }
            at += 1
        }
        return unit
    }

    private mutating func scanMultibyte(_ lead: UInt8) throws(BodyError) {
        let range: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0xC2...0xDF: (range, length) = (0x80...0xBF, 2)
        case 0xE0: (range, length) = (0xA0...0xBF, 3)
        case 0xED: (range, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (range, length) = (0x80...0xBF, 3)
        case 0xF0: (range, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (range, length) = (0x80...0xBF, 4)
        case 0xF4: (range, length) = (0x80...0x8F, 4)
        default: throw fault(.invalidUTF8(offset: at))
        }
        let start = at
        guard bytes.count - start >= length, range.contains(bytes[start + 1]) else {
            throw fault(.invalidUTF8(offset: start))
        }
        for next in 2..<max(length, 2) where bytes[start + next] & 0xC0 != 0x80 {
            throw fault(.invalidUTF8(offset: start))
        }
        at += length
    }
}
