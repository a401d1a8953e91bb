import CSimdJSON
import NIOCore
import TensorCore

/// Writes JSON into a buffer; numbers in bulk.
struct JSONWriter {
    var buffer: ByteBuffer

    init(capacity: Int = 256) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    init(appendingTo buffer: ByteBuffer) {
        self.buffer = buffer
    }

    /// Punctuation, literals and the like, as they are.
    mutating func raw(_ text: StaticString) { buffer.writeStaticString(text) }

    /// A string with its quotes, escaped where JSON needs it.
    mutating func string(_ text: String) {
        raw("\"")
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                buffer.writeBytes(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[start..<index])
                )
                escape(byte)
                start = index + 1
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[start...]))
        }
        raw("\"")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: raw("\\\"")
        case 0x5C: raw("\\\\")
        case 0x0A: raw("\\n")
        case 0x0D: raw("\\r")
        case 0x09: raw("\\t")
        default:
            raw(byte < 0x10 ? "\\u000" : "\\u001")
            let digit = byte & 0x0F
            buffer.writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// A key with its colon.
    mutating func key(_ name: String) {
        string(name)
        raw(":")
    }

    /// An integer.
    mutating func integer(_ value: some BinaryInteger) { buffer.writeString(String(value)) }

    /// A list without its brackets, each element written by a closure.
    mutating func list<Element>(
        _ elements: some Sequence<Element>,
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        var isFirst = true
        for element in elements {
            if !isFirst { raw(",") }
            isFirst = false
            write(&self, element)
        }
    }

    /// One number.
    mutating func float(_ value: Float) {
        withUnsafePointer(to: value) { floats(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// `a,b,c`.
    mutating func floats(_ values: UnsafeBufferPointer<Float>) {
        numbers(values, bytes: CSJ_FLOAT_BYTES, csj_write_floats)
    }

    /// `a,b,c`.
    mutating func doubles(_ values: UnsafeBufferPointer<Double>) {
        numbers(values, bytes: CSJ_DOUBLE_BYTES, csj_write_doubles)
    }

    /// `a,b,c`.
    mutating func integers(_ values: UnsafeBufferPointer<Int64>) {
        numbers(values, bytes: CSJ_INT64_BYTES, csj_write_int64s)
    }

    /// `[a,b],[c,d]`.
    mutating func rows(_ values: UnsafeBufferPointer<Float>, rows: Int, columns: Int) {
        let bytes = rows * (columns * Int(CSJ_FLOAT_BYTES) + 3)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes) { target in
            guard let out = target.baseAddress, let values = values.baseAddress else { return 0 }
            return csj_write_rows(values, rows, columns, out.assumingMemoryBound(to: CChar.self))
        }
    }

    private mutating func numbers<T>(
        _ values: UnsafeBufferPointer<T>,
        bytes: Int32,
        _ write: (UnsafePointer<T>?, Int, UnsafeMutablePointer<CChar>?) -> Int
    ) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: values.count * Int(bytes)) { target in
            guard let out = target.baseAddress, let start = values.baseAddress else { return 0 }
            return write(start, values.count, out.assumingMemoryBound(to: CChar.self))
        }
    }
}
