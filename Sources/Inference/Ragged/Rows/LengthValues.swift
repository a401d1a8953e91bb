import TensorCore

/// A number for each sequence that its length gives, `[B]`.
struct LengthValues: Operator, Hashable {
    private let function: LengthFunction
    private let elementType: ElementType

    /// Nil for a type that numbers of positions are not put into.
    init?(_ function: LengthFunction, _ elementType: ElementType) {
        guard [.float32, .float64, .int32, .int64].contains(elementType) else { return nil }
        self.function = function
        self.elementType = elementType
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let segments = try Segments(inputs[0])
        var values: [Int] = []
        values.reserveCapacity(segments.count)
        for index in 0..<segments.count {
            guard let value = function(segments[index].count) else { throw .inputValue(input: 0) }
            values.append(value)
        }
        let shape = try Shape.checked([values.count])
        do throws(ShapeError) {
            switch elementType {
            case .float32: return .one(try Tensor(values.map { Float($0) }, shape: shape))
            case .float64: return .one(try Tensor(values.map { Double($0) }, shape: shape))
            case .int32: return .one(try Tensor(values.map { Int32(clamping: $0) }, shape: shape))
            default: return .one(try Tensor(values.map { Int64($0) }, shape: shape))
            }
        } catch {
            throw .shape(error)
        }
    }
}
