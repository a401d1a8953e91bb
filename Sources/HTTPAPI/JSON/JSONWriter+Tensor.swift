import TensorCore

extension JSONWriter {
    /// A tensor as nested arrays, `[[1.5,2.0],[3.25,4.0]]`; a scalar as its one number.
    ///
    /// Numbers that are not finite are written as `null`.
    mutating func nested(_ tensor: Tensor) {
        let dimensions = tensor.shape.dimensions
        if tensor.elementType == .float32, dimensions.count == 2, dimensions[1] > 0 {
            raw("[")
            tensor.withElements(of: Float.self) { rows($0, rows: dimensions[0], columns: dimensions[1]) }
            raw("]")
        } else if dimensions.isEmpty {
            flat(tensor)
        } else if dimensions.count == 1 {
            raw("[")
            flat(tensor)
            raw("]")
        } else {
            raw("[")
            list(0..<dimensions[0]) { writer, index in writer.nested(tensor.element(index)) }
            raw("]")
        }
    }

    /// The elements in row-major order without brackets: `1.5,2.0,3.25,4.0`.
    mutating func flat(_ tensor: Tensor) {
        switch tensor.elementType {
        case .float32: tensor.withElements(of: Float.self) { floats($0) }
        case .float64: tensor.withElements(of: Double.self) { doubles($0) }
        case .int64: tensor.withElements(of: Int64.self) { integers($0) }
        case .float16:
            let values = tensor.withBytes { bytes in
                bytes.bindMemory(to: UInt16.self).map { Float(Float16(bitPattern: $0)) }
            }
            values.withUnsafeBufferPointer { floats($0) }
        case .bfloat16:
            let values = tensor.withBytes { bytes in
                bytes.bindMemory(to: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
            }
            values.withUnsafeBufferPointer { floats($0) }
        case .int8: small(tensor, Int8.self)
        case .int16: small(tensor, Int16.self)
        case .int32: small(tensor, Int32.self)
        case .uint8: small(tensor, UInt8.self)
        case .uint16: small(tensor, UInt16.self)
        case .uint32: small(tensor, UInt32.self)
        case .uint64: list(tensor.array(of: UInt64.self)) { $0.integer($1) }
        case .bool: list(tensor.array(of: Bool.self)) { $0.raw($1 ? "true" : "false") }
        default: flat(tensor.widened)
        }
    }

    private mutating func small<T: TensorElement & BinaryInteger>(_ tensor: Tensor, _ type: T.Type) {
        let values = tensor.withElements(of: type) { $0.map { Int64($0) } }
        values.withUnsafeBufferPointer { integers($0) }
    }
}

extension Tensor {
    /// Element `index` of the outermost axis, of one rank less.
    func element(_ index: Int) -> Tensor {
        let part = slice(index..<index + 1)
        let rest = try? Shape(checking: shape.dimensions.dropFirst())
        return rest.flatMap { try? part.reshaped(to: $0) } ?? part
    }
}
