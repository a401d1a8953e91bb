import Inference
import ONNXGraph
import TensorCore

/// Learns what statistics in branches of If look like, so that the other branch can put out as much.
///
/// A branch inside of a loop must put out values of one shape whether it is taken or not. The shapes are learned by a
/// run in which the branch is taken at every step; what is computed in it is not used.
enum BranchShapes {
    /// Zeros for every value that needs them.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - batch: Any batch.
    ///   - levelsSteps: Whether loops in loops may run another number of steps each time.
    /// - Returns: Zeros in the shape of one step; none if no statistic is in a branch inside of a loop.
    /// - Throws: ``FreezeError`` if the branch cannot be run.
    static func learn(
        _ plan: FreezePlan,
        from batch: TrainingBatch,
        levelsSteps: Bool
    ) throws(FreezeError) -> [Export: Tensor] {
        var shapes: [Export: Tensor] = [:]
        for found in plan.found where found.site.path.graph.hasLoopOutsideBranch {
            let graph = found.site.path.graph
            let probe = try StatisticExporter.export(
                [found],
                of: plan.model,
                signature: plan.signature,
                padding: plan.options.padding,
                forced: graph.branchesTaken,
                levelsSteps: levelsSteps
            )
            let run = try EstimationRun([found], probe, signature: plan.signature, withOutputs: false)
            let values = try run.tensors(for: batch)
            for (export, value) in values {
                let depth = export.home.loops.count
                guard export.home.branchCount > 0, value.shape.rank >= depth,
                    let step = try? Shape(checking: value.shape.dimensions.dropFirst(depth))
                else { continue }
                shapes[export] = Tensor.zeros(value.elementType, step)
            }
        }
        return shapes
    }
}

extension NodePath {
    /// The If nodes on the way and which branch of each the way goes into.
    fileprivate var branchesTaken: [NodePath: Bool] {
        var taken: [NodePath: Bool] = [:]
        for (index, step) in steps.enumerated() where step.isBranch {
            taken[prefix(throughNode: index)] = step.body == "then_branch"
        }
        return taken
    }
}

extension Tensor {
    /// All elements 0.
    static func zeros(_ type: ElementType, _ shape: Shape) -> Tensor {
        var tensor = Tensor(uninitialized: type, shape: shape)
        tensor.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = 0 }
        }
        return tensor
    }
}
