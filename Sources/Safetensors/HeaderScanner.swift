/// Reads the JSON of a header: an object of objects, never deeper, so nothing here recurs.
struct HeaderScanner {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func fault(_ fault: HeaderFault) -> SafetensorsError { .malformedHeader(fault, offset: position) }

    /// The next byte that is not white space; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError) {
        guard let byte = peek() else { throw fault(.unexpectedEnd) }
        guard byte == UInt8(ascii: character) else { throw fault(.unexpectedByte) }
        position += 1
    }

    mutating func expectEnd() throws(SafetensorsError) {
        guard peek() == nil else { throw fault(.unexpectedByte) }
    }

    /// The elements between two brackets, separated by commas.
    mutating func list(
        _ open: Unicode.Scalar,
        _ close: Unicode.Scalar,
        _ element: (inout HeaderScanner) throws(SafetensorsError) -> Void
    ) throws(SafetensorsError) {
        try expect(open)
        if peek() == UInt8(ascii: close) {
            position += 1
            return
        }
        while true {
            try element(&self)
            guard peek() == UInt8(ascii: ",") else { return try expect(close) }
            position += 1
        }
    }

    /// A number without sign, fraction and exponent.
    mutating func integer() throws(SafetensorsError) -> Int {
        guard let first = peek() else { throw fault(.unexpectedEnd) }
        guard (0x30...0x39).contains(first) else { throw fault(.unexpectedByte) }
        let start = position
        var value = 0
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, overSum) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
            guard !over && !overSum else { throw fault(.numberOutOfRange) }
            value = sum
            position += 1
        }
        guard first != 0x30 || position == start + 1 else { throw fault(.unexpectedByte) }
        return value
    }

    mutating func string() throws(SafetensorsError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw fault(.unexpectedEnd) }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault(.invalidString)
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault(.invalidString)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(SafetensorsError) {
        guard position < bytes.count else { throw fault(.unexpectedEnd) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: try scalar().utf8)
        default: throw fault(.invalidString)
        }
    }

    /// The character behind `\u`, of one unit or of a pair of surrogates.
    private mutating func scalar() throws(SafetensorsError) -> String {
        let unit = try codeUnit()
        var code = UInt32(unit)
        if UTF16.isLeadSurrogate(unit) {
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw fault(.invalidString) }
            position += 2
            let trail = try codeUnit()
            guard UTF16.isTrailSurrogate(trail) else { throw fault(.invalidString) }
            code = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(trail) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw fault(.invalidString) }
        return String(Character(scalar))
    }

    private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw fault(.unexpectedEnd) }
        var unit: UInt16 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fault(.invalidString)
            }
            unit = unit << 4 | UInt16(digit)
        }
        position += 4
        return unit
    }
}
