import Kernels
import TensorCore

/// Which value of the plan an output is, and where its time axis stands.
struct OutputRule: Sendable {
    /// The output that the features after a normalization are answered with, if a model has it.
    static let normalizedName = "normalized"

    /// Where the sequences and the positions stand in a value.
    enum Time: Sendable {
        case none
        case axis(Int)
        /// `[B, C]`, `[B, C, L]` or `[B, L, C]`: time is what is neither batch nor this axis.
        case besides(channelAxis: Int)
        /// `[L, B, ...]`, what each step of a loop over the positions gave; the axis is that in the step's value.
        case steps(channelAxis: Int)
    }

    /// The axes of the sequences and of their positions.
    struct Axes {
        let batch: Int
        /// nil for one row a sequence.
        let time: Int?
    }

    /// What the caller calls it.
    let name: String
    /// The name of the value.
    let value: String
    let time: Time

    /// The axes of the sequences and of their positions in a value.
    ///
    /// - Parameters:
    ///   - shape: The value's shape.
    ///   - count: How many sequences there are.
    ///   - length: How many positions the longest has.
    /// - Returns: The axes.
    /// - Throws: ``ExecutionError/outputShape(name:actual:)`` if the value has others.
    func axes(_ shape: Shape, count: Int, length: Int) throws(ExecutionError) -> Axes {
        guard let axes = try? axes(rank: shape.rank) else { throw fault(shape) }
        guard shape[axes.batch] == count else { throw fault(shape) }
        if case .steps = time, shape[0] != length { throw fault(shape) }
        return axes
    }

    /// The axes of the sequences and of their positions in a value of some rank.
    func axes(rank: Int) throws(NoRule) -> Axes {
        switch time {
        case .none where rank >= 1: return Axes(batch: 0, time: nil)
        case .axis(let axis) where axis >= 1 && axis < rank: return Axes(batch: 0, time: axis)
        case .besides where rank == 2: return Axes(batch: 0, time: nil)
        case .besides(let channelAxis) where rank == 3:
            return Axes(batch: 0, time: channelAxis == 1 || channelAxis == -2 ? 2 : 1)
        case .steps(let channelAxis):
            let axis = channelAxis < 0 ? channelAxis + rank : channelAxis + 1
            guard axis >= 2, axis < rank else { break }
            return Axes(batch: 1, time: 0)
        default: break
        }
        throw NoRule("rank \(rank) has no axis for the positions")
    }

    func fault(_ shape: Shape) -> ExecutionError { .outputShape(name: name, actual: shape.dimensions) }

    /// A value with the sequences first and their positions second, `[B, L, ...features]`.
    func sequencesFirst(
        _ tensor: Tensor,
        batchAxis: Int,
        timeAxis: Int
    ) throws(ExecutionError) -> Tensor {
        guard batchAxis != 0 || timeAxis != 1 else { return tensor }
        let rest = (0..<tensor.shape.rank).filter { $0 != batchAxis && $0 != timeAxis }
        let order = [batchAxis, timeAxis] + rest
        guard let shape = try? Shape(checking: order.map { tensor.shape[$0] }) else {
            throw fault(tensor.shape)
        }
        var result = Tensor(uninitialized: tensor.elementType, shape: shape)
        let (source, bytes) = (tensor.shape, tensor.elementType.byteCount)
        tensor.withRawPointer { x in
            result.withMutableRawPointer { y in
                Transpose.permute(x, shape: source, permutation: order, elementBytes: bytes, into: y)
            }
        }
        return result
    }

    /// Parts that agree in all but the first axis, one after the other.
    func pack(_ parts: [Tensor]) throws(ExecutionError) -> Tensor {
        let first = parts[0]
        if parts.count == 1 { return first }
        var count = 0
        for part in parts {
            guard part.elementType == first.elementType, part.shape.rank == first.shape.rank,
                part.shape.removing(axis: 0) == first.shape.removing(axis: 0)
            else { throw fault(part.shape) }
            count += part.shape[0]
        }
        let total = count
        guard let shape = try? first.shape.replacing(axis: 0, by: total) else { throw fault(first.shape) }
        var result = Tensor(uninitialized: first.elementType, shape: shape)
        result.withMutableRawPointer { target in
            var position = target
            for part in parts {
                part.withRawPointer { position.copyMemory(from: $0, byteCount: part.byteCount) }
                position += part.byteCount
            }
        }
        return result
    }
}
