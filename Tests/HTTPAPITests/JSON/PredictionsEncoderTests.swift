import Foundation
import Inference
import NIOCore
import TensorCore
import Testing

@testable import HTTPAPI

@Suite struct PredictionsEncoderTests {
    private func perSequence(_ name: String = "y") throws -> SequenceOutput {
        SequenceOutput(name: name, rows: try Tensor([1, 2.5, -0.125, 1e-7] as [Float], shape: [2, 2]))
    }

    private func perPosition() throws -> SequenceOutput {
        SequenceOutput(
            name: "n",
            rows: try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]),
            lengths: [2, 1]
        )
    }

    @Test func `one output is written without its name`() throws {
        #expect(
            PredictionsEncoder().encode([try perSequence()]).text
                == "{\"predictions\":[[1,2.5],[-0.125,1e-07]]}"
        )
    }

    @Test func `rows per position end with their sequence`() throws {
        #expect(
            PredictionsEncoder(key: .normalized).encode([try perPosition()]).text
                == "{\"normalized\":[[[1,2],[3,4]],[[5,6]]]}"
        )
    }

    @Test func `several outputs are objects in the order asked for`() throws {
        #expect(
            PredictionsEncoder().encode([try perPosition(), try perSequence("a\"b")]).text
                == "{\"predictions\":[{\"n\":[[1,2],[3,4]],\"a\\\"b\":[1,2.5]},{\"n\":[[5,6]],\"a\\\"b\":[-0.125,1e-07]}]}"
        )
    }

    @Test func `values that are not finite are null`() throws {
        let values: [Float] = [.nan, .infinity, -.infinity, -0.0]
        let output = SequenceOutput(name: "y", rows: try Tensor(values, shape: [1, 4]))
        #expect(PredictionsEncoder().encode([output]).text == "{\"predictions\":[[null,null,null,-0.0]]}")
    }

    @Test func `scalars, higher ranks and empty axes are written as they nest`() throws {
        let values: [Float] = [1, 2, 3, 4]
        let texts: [(Shape, String)] = [
            ([4], "[1,2,3,4]"), ([2, 2, 1], "[[[1],[2]],[[3],[4]]]"), ([1, 1, 2, 2], "[[[[1,2],[3,4]]]]"),
        ]
        for (shape, text) in texts {
            let output = SequenceOutput(name: "y", rows: try Tensor(values, shape: shape))
            #expect(PredictionsEncoder().encode([output]).text == "{\"predictions\":\(text)}")
        }
        let empty = SequenceOutput(name: "y", rows: try Tensor([] as [Float], shape: [2, 0]))
        #expect(PredictionsEncoder().encode([empty]).text == "{\"predictions\":[[],[]]}")
    }

    @Test func `every element type is written as numbers`() throws {
        func text(_ rows: Tensor) -> String {
            PredictionsEncoder().encode([SequenceOutput(name: "y", rows: rows)]).text
        }
        #expect(
            text(try Tensor([Int64.min, .max], shape: [1, 2])).contains(
                "[-9223372036854775808,9223372036854775807]"
            )
        )
        #expect(text(try Tensor([UInt64.max], shape: [1, 1])).contains("[18446744073709551615]"))
        #expect(text(try Tensor([true, false], shape: [1, 2])).contains("[true,false]"))
        #expect(text(try Tensor([Int8(-3)], shape: [1, 1])).contains("[-3]"))
        #expect(
            text(try Tensor([0.1, .greatestFiniteMagnitude], shape: [1, 2])).contains(
                "[0.1,1.7976931348623157e+308]"
            )
        )
        var half = Tensor(uninitialized: .float16, shape: [1, 1])
        half.withMutableBytes { $0.storeBytes(of: Float16(1.5).bitPattern, as: UInt16.self) }
        #expect(text(half).contains("[1.5]"))
    }

    @Test func `what is written is what a slow reader reads`() throws {
        var generator = FixedGenerator(seed: 5)
        for rank in 1...4 {
            for _ in 0..<10 {
                let dimensions = (0..<rank).map { _ in Int.random(in: 1...4, using: &generator) }
                let shape = try Shape(checking: dimensions)
                let values = (0..<shape.elementCount).map { _ in
                    Float.random(in: -10...10, using: &generator)
                }
                let body = PredictionsEncoder().encode([
                    SequenceOutput(name: "y", rows: try Tensor(values, shape: shape))
                ])
                let object = try JSONSerialization.jsonObject(with: body.data) as? [String: Any]
                #expect(flatten(object?["predictions"] as Any) == values)
            }
        }
    }

    private func flatten(_ value: Any) -> [Float] {
        (value as? [Any])?.flatMap(flatten) ?? [(value as? NSNumber)?.floatValue ?? .nan]
    }

    @Test func `the likeliest classes come first, with their share of all`() throws {
        let logits: [Float] = [1, 3, 2, 3, 0, 0]
        let output = SequenceOutput(name: "y", rows: try Tensor(logits, shape: [2, 3]))
        let encoder = PredictionsEncoder(labels: ["a", "b", "c"], topK: 2)
        let object = try JSONSerialization.jsonObject(with: encoder.encode([output]).data) as? [String: Any]
        let answers = try #require(object?["predictions"] as? [[[String: Any]]])
        #expect(answers.map { $0.map { $0["label"] as? String } } == [["b", "c"], ["a", "b"]])
        let total = exp(1.0) + exp(2.0) + exp(3.0)
        let probabilities = answers[0].map { $0["probability"] as? Double ?? .nan }
        #expect(abs(probabilities[0] - exp(3) / total) < 1e-7)
        #expect(abs(probabilities[1] - exp(2) / total) < 1e-7)
    }

    @Test func `probabilities stay finite for any finite logits and sum to one`() {
        for logits in [[1000, -1000], [-3e38, 3e38], [0, 0, 0], [-1e4, -1e4 - 1], [7]] as [[Double]] {
            let top = TopClasses(logits: logits, k: logits.count)
            #expect(top.probabilities.allSatisfy { $0.isFinite && $0 >= 0 })
            #expect(abs(top.probabilities.reduce(0, +) - 1) < 1e-6)
            #expect(top.classes.sorted() == Array(logits.indices))
        }
        let odd = TopClasses(logits: [.nan, 1, 2], k: 3)
        #expect(odd.classes == [2, 1, 0])
        #expect(odd.probabilities.allSatisfy { $0.isNaN })
    }

    @Test func `only one number a class is a classification`() throws {
        let encoder = PredictionsEncoder(labels: ["a", "b"], topK: 1)
        let text = encoder.encode([try perSequence(), try perPosition()]).text
        #expect(text.contains("\"y\":[{\"label\":\"b\",\"probability\":0.8"))
        #expect(text.contains("\"n\":[[1,2],[3,4]]"))
        let wider = SequenceOutput(name: "y", rows: try Tensor([1, 2, 3] as [Float], shape: [1, 3]))
        #expect(encoder.encode([wider]).text == "{\"predictions\":[[1,2,3]]}")
    }

    @Test func `strings are escaped so that a slow reader gets them back`() throws {
        let text = "a\"b\\c\n\r\t\u{0}\u{1F}\u{7F}é漢😀/"
        var writer = JSONWriter()
        writer.string(text)
        let read = try JSONSerialization.jsonObject(with: writer.buffer.data, options: .fragmentsAllowed)
        #expect(read as? String == text)
    }
}
