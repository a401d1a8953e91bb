public import Foundation
public import TensorCore

/// A reader of safetensors files: an eight-byte header length, a JSON header, then the elements.
public enum SafeTensors {
    /// What is wrong with a file.
    public enum FormatError: Error, Equatable {
        /// The file ends before its header or a tensor does.
        case truncated
        /// An entry of the header is not as the format wants it.
        case malformed(String)
    }

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private enum Item: Decodable {
        case tensor(Entry)
        case metadata

        init(from decoder: any Decoder) throws {
            if let entry = try? Entry(from: decoder) { self = .tensor(entry) } else { self = .metadata }
        }
    }

    /// Reads all tensors of a file.
    ///
    /// - Parameter file: A safetensors file with the types F32, F64, I32, I64, U8 and BOOL.
    /// - Returns: The tensors by name.
    /// - Throws: ``FormatError``, a file or JSON error, or a ``ShapeError``.
    public static func read(_ file: URL) throws -> [String: Tensor] {
        let data = try Data(contentsOf: file)
        guard data.count >= 8 else { throw FormatError.truncated }
        let headerCount = data.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        guard headerCount <= data.count - 8 else { throw FormatError.truncated }
        let header = try JSONDecoder().decode([String: Item].self, from: data[8..<8 + headerCount])
        var tensors: [String: Tensor] = [:]
        for (name, item) in header {
            guard case .tensor(let entry) = item else { continue }
            tensors[name] = try tensor(entry, named: name, in: data[(8 + headerCount)...])
        }
        return tensors
    }

    private static func tensor(_ entry: Entry, named name: String, in body: Data) throws -> Tensor {
        let types: [String: ElementType] = [
            "F32": .float32, "F64": .float64, "I32": .int32, "I64": .int64, "U8": .uint8, "BOOL": .bool,
        ]
        guard let type = types[entry.dtype], entry.offsets.count == 2 else {
            throw FormatError.malformed(name)
        }
        let (start, end) = (entry.offsets[0], entry.offsets[1])
        guard start >= 0 && end >= start && end <= body.count else { throw FormatError.truncated }
        var tensor = Tensor(uninitialized: type, shape: try Shape(checking: entry.shape))
        guard tensor.byteCount == end - start else { throw FormatError.malformed(name) }
        tensor.withMutableBytes { target in
            _ = body[(body.startIndex + start)..<(body.startIndex + end)].copyBytes(to: target)
        }
        return tensor
    }
}
