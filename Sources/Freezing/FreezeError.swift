public import Inference
public import ONNXGraph
public import Statistics

/// Why a training graph cannot be frozen.
public indirect enum FreezeError: Error, Hashable, Sendable {
    /// Nothing in the model is a batch statistic; says how to label.
    case noStatistics
    /// The label list in the model's metadata, `bn_statistics`, is not the JSON it should be.
    case malformedLabels
    /// A label names a tensor that its graph does not make.
    case missingTensor(String, label: String, graph: [String])
    /// A label names a loop that the model does not have.
    case missingGraph([String], label: String)
    /// A name or regular expression that no value of the model matches.
    case unmatchedStatistic(String)
    /// A text that is neither the name of a value nor a regular expression.
    case invalidPattern(String)
    /// A label that two tensors of one graph have.
    case duplicateLabel(String, first: String, second: String, graph: NodePath)
    /// A tensor that is labelled twice, differently.
    case conflictingLabels(tensor: String, first: String, second: String)
    /// An operator between a statistic and the model's own graph that values cannot be exposed through.
    case notExposable(operatorType: String, label: String, at: NodePath)
    /// A normalization in training mode, of which it is not known what positions are valid.
    case noMask(label: String, at: NodePath, reason: UnknownPositions)
    /// A normalization whose input has other positions than the mask.
    case positionsDiffer(label: String, mask: [Int], positions: Int, origin: String)
    /// A batch without a length for each sequence where the model has no mask.
    case missingLengths(origin: String)
    /// A statistic whose shape has the batch's size in it.
    case shapeDependsOnBatch(label: String, shape: [Int])
    /// A statistic that is not made of floating-point numbers.
    case notANumber(label: String, elementType: String)
    /// The estimator asked for needs the number of positions, which the graph does not tell.
    case noCounts(label: String, estimator: Estimator)
    /// No batch was given.
    case noData
    /// A state that was estimated for other statistics than the plan's.
    case foreignState(String)
    /// A statistic cannot be taken out of, or put into, a graph of this opset.
    case unsupportedOpset(Int, reason: String)
    /// Batches cannot be combined.
    case statistics(StatisticsError, origin: String)
    /// The model is at fault.
    case model(ModelError)
    /// The training graph cannot be run.
    case plan(PlanError)
    /// The training graph cannot be run on a batch.
    case run(ExecutionError, origin: String)
    /// A proof failed: nothing must be written.
    case proofFailed(Proof)
    /// A frozen model without a normalization whose statistics could be estimated anew.
    case noNormalization
}
