import TensorCore

/// The planned body of a Scan, Loop or If.
struct Subgraph: Sendable {
    let program: Program
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
            frame.set(program.captures[index], to: try inputs[captureStart + index])
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
}
