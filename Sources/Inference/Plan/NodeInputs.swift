import ONNXGraph
import TensorCore

/// A node's inputs as one evaluation sees them; valid only during it.
struct NodeInputs {
    let slots: UnsafeMutablePointer<Tensor?>
    /// What slots hold that is no tensor; nil for programs that only have tensors.
    let others: UnsafeMutablePointer<Value?>?
    let constants: UnsafePointer<Tensor>
    let operands: UnsafePointer<Operand>
    /// The number of inputs, captured ones of subgraphs included.
    let count: Int
    /// Bit `i` is set if nobody reads input `i`'s value after this node.
    let lastUses: UInt64
    /// The number of outputs that someone reads, counted to the last.
    let outputCount: Int
    /// What is left of the run's limits.
    let budget: UnsafeMutablePointer<RunBudget>

    /// What the model may ask for.
    var limits: ModelLimits { budget.pointee.limits }

    /// The value of an input, or nil if it is absent.
    func optional(_ index: Int) -> Tensor? {
        guard index < count else { return nil }
        let operand = operands[index]
        if operand.isSlot { return slots[operand.slot] }
        return operand.isAbsent ? nil : constants[operand.constant]
    }

    /// The value of an input.
    subscript(_ index: Int) -> Tensor {
        get throws(OperatorError) {
            guard let tensor = optional(index) else { throw .missingInput(index) }
            return tensor
        }
    }

    /// The value of an input, moved out if this is its last use, so that its memory may be written again.
    func take(_ index: Int) throws(OperatorError) -> Tensor {
        guard index < 64, lastUses & (1 << UInt64(index)) != 0 else { return try self[index] }
        guard let tensor = slots[operands[index].slot].take() else { throw .missingInput(index) }
        return tensor
    }

    /// Whether the memory of an input is free after this node.
    func isLastUse(_ index: Int) -> Bool { index < 64 && lastUses & (1 << UInt64(index)) != 0 }

    /// Memory for an output, of undefined content.
    func makeTensor(_ elementType: ElementType, _ shape: Shape) throws(OperatorError) -> Tensor {
        guard shape.elementCount * elementType.byteCount <= limits.tensorBytes else {
            throw .tensorTooLarge(shape: shape.dimensions, limitBytes: limits.tensorBytes)
        }
        guard let tensor = Tensor(allocating: elementType, shape: shape) else {
            throw .outOfMemory(shape: shape.dimensions)
        }
        return tensor
    }
}

/// Where a node finds an input: a slot of the frame, a constant of the program, or nowhere.
struct Operand: Equatable {
    private let code: Int32

    static let absent = Operand(code: -1)
    static func slot(_ index: Int) -> Operand { Operand(code: Int32(index)) }
    static func constant(_ index: Int) -> Operand { Operand(code: -2 - Int32(index)) }

    var isSlot: Bool { code >= 0 }
    var isAbsent: Bool { code == -1 }
    var slot: Int { Int(code) }
    var constant: Int { -2 - Int(code) }
}
