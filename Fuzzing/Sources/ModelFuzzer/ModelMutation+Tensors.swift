import Foundation
import ModelTrial
import TensorCore

@testable import ONNXGraph

extension ModelMutation {
    /// A small constant of any type and shape that says how many elements it has truly.
    mutating func constant(named name: String) -> ProtoTensor {
        let type = choices.once(in: 2) ? ElementType.int64 : choices.pick(ElementType.allCases) ?? .float32
        let dimensions = (0..<choices.below(4)).map { _ in Int64(choices.below(4)) }
        var tensor = ProtoTensor()
        tensor.name = name
        guard let shape = try? Shape(checking: dimensions.map(Int.init)),
            let values = TinyInputs.tensor(type, shape, &choices)
        else { return tensor }
        tensor = Initializer(name, values).proto
        return tensor
    }

    /// Changes some of a tensor, perhaps so that its parts no longer agree.
    mutating func disturb(_ tensor: inout ProtoTensor) {
        switch choices.below(5) {
        case 0 where !tensor.dims.isEmpty: tensor.dims[choices.below(tensor.dims.count)] = choices.integer()
        case 1: tensor.dims.insert(1, at: choices.below(tensor.dims.count + 1))
        case 2: tensor.dataType = Int32(choices.below(24))
        case 3 where !tensor.int64Data.isEmpty:
            tensor.int64Data[choices.below(tensor.int64Data.count)] = choices.integer()
        default:
            guard tensor.rawData.count >= 8 else { return }
            let place = choices.below(tensor.rawData.count / 8) * 8
            let value = choices.integer()
            withUnsafeBytes(of: value.littleEndian) {
                tensor.rawData.replaceSubrange(place..<place + 8, with: $0)
            }
        }
    }

    /// Gives an input another element type or shape.
    mutating func retype(_ value: inout ProtoValueInfo) {
        if choices.once(in: 2) {
            value.type.tensorType.elemType = Int32(choices.below(17))
            return
        }
        var dimensions = value.type.tensorType.shape.dim
        var fresh = ProtoDimension()
        if choices.once(in: 3) { fresh.dimParam = "n" } else { fresh.dimValue = Int64(choices.below(6)) }
        switch choices.below(3) {
        case 0 where dimensions.count < 9: dimensions.insert(fresh, at: choices.below(dimensions.count + 1))
        case 1 where !dimensions.isEmpty: dimensions.remove(at: choices.below(dimensions.count))
        default: if !dimensions.isEmpty { dimensions[choices.below(dimensions.count)] = fresh }
        }
        value.type.tensorType.shape.dim = dimensions
    }

    /// Makes an input a constant, which the planner folds.
    mutating func fixInput(_ graph: inout ProtoGraph) {
        guard let input = choices.pick(graph.input) else { return }
        var tensor = constant(named: input.name)
        tensor.name = input.name
        if !graph.initializer.contains(where: { $0.name == input.name }) { graph.initializer.append(tensor) }
    }
}
