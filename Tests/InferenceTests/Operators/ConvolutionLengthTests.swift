import ONNXGraph
import TensorCore
import Testing

@testable import Inference

/// Convolutions whose windows may be longer than what they slide over.
struct ConvolutionLengthTests {
    @Test(arguments: [0, 1, 3])
    func `a window too long is refused, whether or not its weights were packed`(pad: Int) throws {
        let node = SingleNode(
            "Conv",
            ["pads": .ints([Int64(pad), 0]), "dilations": .ints([2]), "kernel_shape": .ints([3])]
        )
        let weights = try Tensor([Float(1), 2, 4], shape: [1, 1, 3])
        let plan = try ExecutionPlan(
            Model(
                graph: Graph(
                    name: "one",
                    nodes: [
                        Node(
                            node.type,
                            name: "node",
                            inputs: ["x0", "w"],
                            outputs: ["y0"],
                            attributes: node.attributes.sorted { $0.key < $1.key }.map {
                                Attribute($0.key, $0.value)
                            }
                        )
                    ],
                    initializers: [Initializer("w", weights)],
                    inputs: [ValueInfo("x0", elementType: .float32, dimensions: nil)],
                    outputs: [ValueInfo("y0", elementType: .float32, dimensions: nil)]
                ),
                opsetImports: ["": node.opset]
            )
        )
        for length in 1..<8 {
            let x = try Tensor((0..<length).map { Float($0 + 1) }, shape: [1, 1, length])
            let isTooShort = length + pad < 5
            let reason = OperatorError.windowTooLong(extent: 5, length: length + pad)
            #expect(try node.failure([x, weights]) == (isTooShort ? reason : nil))
            guard isTooShort else {
                let (open, packed) = (try node.run([x, weights])[0], try plan.run(["x0": x])[0])
                #expect(open == packed && packed.shape == [1, 1, length + pad - 4])
                continue
            }
            let error = #expect(throws: ExecutionError.self) { try plan.run(["x0": x]) }
            #expect(
                error?.description.contains("a window over 5 positions does not fit on \(length + pad)")
                    == true
            )
        }
    }
}
