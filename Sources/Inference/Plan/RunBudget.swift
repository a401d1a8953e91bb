import ONNXGraph

/// What is left of the limits of one run; shared by the frames of its subgraphs.
struct RunBudget {
    var limits: ModelLimits
    private var tripsLeft: Int

    init(_ limits: ModelLimits) {
        self.limits = limits
        tripsLeft = limits.loopTrips
    }

    /// Counts one iteration of a Loop or Scan.
    mutating func takeTrip() throws(OperatorError) {
        guard tripsLeft > 0 else { throw .tooManyIterations(limit: limits.loopTrips) }
        tripsLeft -= 1
    }
}

/// Adds up the scan outputs of one Loop or Scan.
struct ScanOutputBudget {
    private let limit: Int
    private var left: Int

    init(_ inputs: NodeInputs) {
        limit = inputs.limits.scanOutputBytes
        left = limit
    }

    /// Counts bytes that are about to be kept.
    mutating func take(_ bytes: Int) throws(OperatorError) {
        guard bytes <= left else { throw .scanOutputsTooLarge(limitBytes: limit) }
        left -= bytes
    }
}
