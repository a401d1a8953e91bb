import Foundation
import Inference
import SwiftProtobuf
import TensorCore

@testable import ONNXGraph

/// The files of the suite that hold an input or output: a tensor, a sequence or an optional.
enum ValueFile {
    /// What a file holds that a value here cannot.
    struct Unreadable: Error { let reason: String }

    static func read(_ bytes: Data, kind: ValueInfo.Kind) throws -> Value {
        switch kind {
        case .tensor: return try tensor(bytes)
        case .sequence: return try sequence(bytes)
        case .optional:
            // Fields of ONNX's OptionalProto: 3 the tensor, 5 the sequence.
            for (field, content) in try fields(of: bytes) {
                if field == 3 { return try tensor(content) }
                if field == 5 { return try sequence(content) }
            }
            return .none
        case .other, .undeclared: throw Unreadable(reason: "is of kind \(kind.rawValue)")
        }
    }

    private static func tensor(_ bytes: Data) throws -> Value {
        let initializer = Initializer(proto: try ProtoTensor(serializedBytes: bytes), folder: nil)
        if initializer.isText { return .strings(try initializer.strings()) }
        do throws(ModelError) {
            return .tensor(try initializer.tensor())
        } catch .invalidTensor(_, .unsupportedElementType(let type)) {
            throw Unreadable(reason: "has element type \(type)")
        }
    }

    /// Fields of ONNX's SequenceProto: 3 a tensor.
    private static func sequence(_ bytes: Data) throws -> Value {
        let tensors = try fields(of: bytes).filter { $0.field == 3 }.map { field in
            guard case .tensor(let tensor) = try tensor(field.content) else {
                throw Unreadable(reason: "is a sequence of strings")
            }
            return tensor
        }
        return .sequence(tensors)
    }

    /// The fields of a message that have a length, in order; numbers are passed over.
    private static func fields(of bytes: Data) throws -> [(field: Int, content: Data)] {
        var rest = bytes[...]
        func number() throws -> Int {
            var value = 0
            var shift = 0
            while let byte = rest.popFirst(), shift < 56 {
                value |= Int(byte & 0x7f) << shift
                if byte & 0x80 == 0 { return value }
                shift += 7
            }
            throw Unreadable(reason: "ends in the middle of a number")
        }
        var fields: [(field: Int, content: Data)] = []
        while !rest.isEmpty {
            let tag = try number()
            let length = try number()
            guard tag & 7 == 2 else { continue }
            guard length <= rest.count else { throw Unreadable(reason: "ends in the middle of a field") }
            fields.append((tag >> 3, Data(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return fields
    }
}
