internal import FoundationEssentials
internal import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes the JSON of a header.
struct HeaderWriter {
    private var text = "{"

    mutating func write(metadata: [String: String]) {
        guard !metadata.isEmpty else { return }
        let pairs = metadata.sorted { $0.key < $1.key }.map {
            "\(Self.quoted($0.key)):\(Self.quoted($0.value))"
        }
        write(SafetensorsFile.metadataKey, "{\(pairs.joined(separator: ","))}")
    }

    mutating func write(_ name: String, _ tensor: Tensor, at position: Int) {
        let dimensions = tensor.shape.dimensions.map(String.init).joined(separator: ",")
        let offsets = "[\(position),\(position + tensor.byteCount)]"
        let type = tensor.elementType.safetensorsName
        write(name, "{\"dtype\":\"\(type)\",\"shape\":[\(dimensions)],\"data_offsets\":\(offsets)}")
    }

    private mutating func write(_ key: String, _ value: String) {
        if text.utf8.count > 1 { text += "," }
        text += "\(Self.quoted(key)):\(value)"
    }

    /// The length and the header, filled up with spaces so that the elements are aligned to eight bytes.
    func finished() -> Data {
        var header = Data((text + "}").utf8)
        header.append(contentsOf: repeatElement(0x20, count: (8 - header.count % 8) % 8))
        var data = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        data.append(header)
        return data
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
