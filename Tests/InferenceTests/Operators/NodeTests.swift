import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// ONNX's own node tests; the fixture's folder says how they are made.
struct NodeTests {
    private static let tolerance = Tolerance.close(
        absolute: 1e-5,
        relative: 1e-5,
        because: "numpy sums in another order"
    )

    private static let cases: [String: [String: Tensor]] = {
        let tensors = (try? SafeTensors.read(Fixtures.file("operators/node-tests.safetensors"))) ?? [:]
        var cases: [String: [String: Tensor]] = [:]
        for (key, tensor) in tensors {
            let parts = key.split(separator: "/").map(String.init)
            cases[parts[0], default: [:]][parts[1]] = tensor
        }
        return cases
    }()

    static let names = cases.keys.sorted()

    @Test func `there are cases`() { #expect(Self.names.count > 300) }

    @Test(arguments: names)
    func `a node gives what ONNX says`(_ name: String) throws {
        let tensors = try #require(Self.cases[name])
        let model = try Model(serialized: Data(try #require(tensors["model"]).array(of: UInt8.self)))
        try model.validate()
        let plan = try ExecutionPlan(model)
        var inputs: [String: Tensor] = [:]
        for (index, input) in plan.inputNames.enumerated() { inputs[input] = tensors["input.\(index)"] }
        for (index, output) in try plan.run(inputs).enumerated() {
            let expected = try #require(tensors["output.\(index)"])
            #expect(Self.tolerance.firstDifference(output, expected) == nil)
        }
    }
}
