public import ONNXGraph
public import TensorCore

/// Inputs as a model declares them, small, with numbers that break things among them.
public enum TinyInputs {
    /// Larger inputs are not made.
    private static let maximumCount = 4096

    /// Inputs for a model.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - choices: What decides lengths and numbers.
    /// - Returns: Those that could be made, by name.
    public static func make(for model: Model, _ choices: inout Choices) -> [String: Tensor] {
        var lengths: [String: Int] = [:]
        var inputs: [String: Tensor] = [:]
        for input in model.graph.requiredInputs {
            let dimensions = (input.dimensions ?? []).map { dimension in
                switch dimension {
                case .fixed(let length): return length
                case .symbol(let name):
                    let length = lengths[name] ?? choices.below(5)
                    lengths[name] = length
                    return length
                default: return choices.below(5)
                }
            }
            guard let type = input.elementType, let shape = try? Shape(checking: dimensions),
                shape.elementCount <= maximumCount,
                let tensor = tensor(type, shape, &choices)
            else { continue }
            inputs[input.name] = tensor
        }
        return inputs
    }

    /// A tensor of chosen numbers.
    ///
    /// - Parameters:
    ///   - type: The type of its elements.
    ///   - shape: Its shape.
    ///   - choices: What decides the numbers.
    /// - Returns: nil if there can be none.
    public static func tensor(_ type: ElementType, _ shape: Shape, _ choices: inout Choices) -> Tensor? {
        func make<T: TensorElement>(_ value: (inout Choices) -> T) -> Tensor? {
            try? Tensor((0..<shape.elementCount).map { _ in value(&choices) }, shape: shape)
        }
        return switch type {
        case .float32: make { $0.float() }
        case .float64: make { Double($0.float()) }
        case .float16: make { UInt16(truncatingIfNeeded: $0.next()) }.flatMap { halves($0, type) }
        case .bfloat16: make { UInt16(truncatingIfNeeded: $0.next()) }.flatMap { halves($0, type) }
        case .int8: make { Int8(truncatingIfNeeded: $0.integer()) }
        case .int16: make { Int16(truncatingIfNeeded: $0.integer()) }
        case .int32: make { Int32(truncatingIfNeeded: $0.integer()) }
        case .int64: make { $0.integer() }
        case .uint8: make { UInt8(truncatingIfNeeded: $0.integer()) }
        case .uint16: make { UInt16(truncatingIfNeeded: $0.integer()) }
        case .uint32: make { UInt32(truncatingIfNeeded: $0.integer()) }
        case .uint64: make { UInt64(truncatingIfNeeded: $0.integer()) }
        case .bool: make { $0.once(in: 2) }
        default:
            if let range = type.narrowRange {
                make { Int8(truncatingIfNeeded: range.lowerBound + $0.below(range.count)) }?.reinterpreted(
                    as: type
                )
            } else {
                make { UInt8(truncatingIfNeeded: $0.below(1 << type.bitCount)) }?.reinterpreted(as: type)
            }
        }
    }

    /// The same bits as floats of 16 bits.
    private static func halves(_ bits: Tensor, _ type: ElementType) -> Tensor? {
        var result = Tensor(uninitialized: type, shape: bits.shape)
        bits.withBytes { source in result.withMutableBytes { $0.copyMemory(from: source) } }
        return result
    }
}
