import TensorCore

/// If: one of two subgraphs without inputs, chosen by a bool.
struct If: Operator, TakingAllTypes {
    private let thenBranch: Subgraph
    private let elseBranch: Subgraph

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        thenBranch = try reader.subgraph("then_branch")
        elseBranch = try reader.subgraph("else_branch")
        for (name, branch) in [("then_branch", thenBranch), ("else_branch", elseBranch)] {
            guard branch.inputCount == 0 else {
                throw .subgraphSignature(attribute: name, expected: 0, actual: branch.inputCount)
            }
            guard branch.outputCount >= reader.outputCount else {
                throw .subgraphSignature(
                    attribute: name,
                    expected: reader.outputCount,
                    actual: branch.outputCount
                )
            }
        }
    }

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let branch = try inputs.boolScalar(0) ? thenBranch : elseBranch
        let frame = try branch.makeFrame(inputs)
        try branch.run(frame)
        return try branch.outputs(branch.outputCount, from: frame)
    }
}
