import TensorCore

/// The planned body of a Scan, Loop or If.
struct Subgraph: Sendable {
    let program: Program
    /// What the program was made of, for operators that run it in a way of their own.
    let graph: PlanGraph
    /// Where the captured values stand among the node's inputs.
    let captureStart: Int
    let captureCount: Int

    /// The number of formal inputs.
    var inputCount: Int { program.inputs.count }
    /// The number of outputs.
    var outputCount: Int { program.outputs.count }

    /// A frame with the captured values in place, good for any number of runs one after the other.
    func makeFrame(_ inputs: NodeInputs) throws(OperatorError) -> Frame {
        let frame = Frame(for: program, inputs.budget)
        for index in 0..<captureCount {
            if let tensor = inputs.optional(captureStart + index) {
                frame.set(program.captures[index], to: tensor)
            } else if let value = inputs.value(captureStart + index) {
                frame.set(program.captures[index], to: value)
            } else {
                throw .missingInput(captureStart + index)
            }
        }
        return frame
    }

    /// Runs the body once.
    func run(_ frame: borrowing Frame) throws(OperatorError) {
        do throws(ExecutionError) { try program.run(frame) } catch { throw .subgraphExecution(error) }
    }

    /// An output of the last run.
    func output(_ index: Int, from frame: borrowing Frame) throws(OperatorError) -> Tensor {
        guard let tensor = program.output(index, from: frame) else { throw .missingInput(index) }
        return tensor
    }

    /// An output of the last run, moved out of the frame if no later output shares its slot.
    func take(_ index: Int, from frame: borrowing Frame) throws(OperatorError) -> Tensor {
        guard let tensor = program.takeOutput(index, from: frame) else { throw .missingInput(index) }
        return tensor
    }

    /// An output of any kind of the last run.
    func outputValue(_ index: Int, from frame: borrowing Frame) throws(OperatorError) -> Value {
        guard let value = program.outputValue(index, from: frame) else { throw .missingInput(index) }
        return value
    }

    /// An output of any kind of the last run, moved out of the frame if no later output shares its slot.
    func takeValue(_ index: Int, from frame: borrowing Frame) throws(OperatorError) -> Value {
        guard let value = program.takeOutputValue(index, from: frame) else { throw .missingInput(index) }
        return value
    }

    /// The first outputs of the last run.
    func outputs(_ count: Int, from frame: borrowing Frame) throws(OperatorError) -> NodeOutputs {
        guard program.hasOtherValues else {
            var tensors: [Tensor] = []
            for index in 0..<count { tensors.append(try output(index, from: frame)) }
            return .many(tensors)
        }
        var values: [Value] = []
        for index in 0..<count { values.append(try outputValue(index, from: frame)) }
        return .values(values)
    }
}
