import Foundation
import HTTPAPI
import Inference
import NIOCore
import TensorCore
import Testing

@Suite struct TensorsTests {
    private func decode(_ text: String, _ signature: Signature) throws(BodyError) -> TensorsRequest {
        try TensorsDecoder(signature: signature).decode(ByteBuffer(string: text))
    }

    private func input(_ name: String, _ shape: [Int], _ datatype: String, _ data: String) -> String {
        "{\"name\":\"\(name)\",\"shape\":\(shape),\"datatype\":\"\(datatype)\",\"data\":\(data)}"
    }

    private func body(_ inputs: String...) -> String { "{\"inputs\":[\(inputs.joined(separator: ","))]}" }

    @Test func `every small shape is packed as a slow packer packs it`() throws {
        for batch in 1...3 {
            for channels in 1...3 {
                for length in 1...4 {
                    for layout in [SequenceInput.Layout.channelsFirst, .channelsLast] {
                        try checkPacking(batch, channels, length, layout)
                    }
                }
            }
        }
    }

    private func checkPacking(
        _ batch: Int,
        _ channels: Int,
        _ length: Int,
        _ layout: SequenceInput.Layout
    ) throws {
        func number(_ b: Int, _ c: Int, _ t: Int) -> Float { Float(b * 100 + c * 10 + t) }
        let lengths = (0..<batch).map { 1 + ($0 + length - 1) % length }
        let isFirst = layout == .channelsFirst
        let nested = (0..<batch).map { b in
            isFirst
                ? (0..<channels).map { c in (0..<length).map { number(b, c, $0) } }
                : (0..<length).map { t in (0..<channels).map { number(b, $0, t) } }
        }
        let shape = isFirst ? [batch, channels, length] : [batch, length, channels]
        let mask = lengths.map { own in (0..<length).map { $0 < own ? 1 : 0 } }
        let expected = lengths.indices.flatMap { b in
            (0..<lengths[b]).flatMap { t in (0..<channels).map { number(b, $0, t) } }
        }
        let signature = BodyFixtures.features(channels, layout: layout)
        let flat = "\(nested.flatMap { $0.flatMap(\.self) })"
        for (data, maskData) in [("\(nested)", "\(mask.map { [$0] })"), (flat, "\(mask.flatMap(\.self))")] {
            let text = body(
                input("x", shape, "FP32", data),
                input("mask", [batch, 1, length], "FP32", maskData)
            )
            let request = try decode(text, signature)
            #expect(request.batch.lengths == lengths)
            #expect(request.paddedLength == length)
            #expect(request.batch.rows.array(of: Float.self) == expected)
        }
    }

    @Test func `mask and lengths say the same in every type`() throws {
        let signature = try BodyFixtures.tokens()
        let tokens = input("tokens", [2, 3], "INT64", "[[1,2,20],[3,20,20]]")
        let others = [
            input("mask", [2, 1, 3], "BOOL", "[true,true,false,true,false,false]"),
            input("mask", [2, 3], "INT64", "[[1,1,0],[1,0,0]]"),
            input("mask", [2, 3], "FP64", "[1.0,1,0,1e0,0.0,0]"),
            input("lengths", [2], "INT32", "[2,1]"),
            input("lengths", [2], "INT32", "[2,1]") + "," + input("mask", [2, 3], "BOOL", "[1,1,0,1,0,0]"),
        ]
        for other in others {
            let request = try decode(body(tokens, other), signature)
            #expect(request.batch.lengths == [2, 1], "\(other)")
            #expect(request.batch.rows.array(of: Int64.self) == [1, 2, 3])
            #expect(request.paddedLength == 3)
        }
    }

    @Test func `without mask every sequence fills the shape`() throws {
        let request = try decode(
            "{\"id\":\"q\",\"parameters\":{\"a\":1},\"outputs\":[{\"name\":\"p\"},{\"name\":\"n\"}],\"inputs\":["
                + input("tokens", [2, 2], "UINT8", "[1,2,3,4]") + "]}",
            try BodyFixtures.tokens()
        )
        #expect(request.batch.lengths == [2, 2])
        #expect(request.id == "q")
        #expect(request.outputs == ["p", "n"])
    }

    private static let tokens =
        "{\"name\":\"tokens\",\"shape\":[1,3],\"datatype\":\"INT64\",\"data\":[1,2,3]}"

    @Test(arguments: [
        ("{}", "", InputRule.missingKey("inputs")),
        ("{\"inputs\":[]}", "inputs", .missingKey("tokens")),
        ("{\"inputs\":[{}]}", "inputs[0]", .missingKey("name")),
        (
            "{\"inputs\":[{\"name\":\"y\",\"shape\":[1],\"datatype\":\"INT8\",\"data\":[1]}]}",
            "inputs[0].name",
            .unknownInput(known: ["tokens", "mask", "lengths"])
        ),
        ("{\"inputs\":[\(tokens),\(tokens)]}", "inputs[1].name", .duplicateKey),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,3],\"datatype\":\"BYTES\",\"data\":[]}]}",
            "inputs[0].datatype", .unknownDatatype
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[3],\"datatype\":\"INT64\",\"data\":[1,2,3]}]}",
            "inputs[0].shape", .shape(expected: [-1, -1], found: [3])
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,3],\"datatype\":\"INT64\",\"data\":[1,2]}]}",
            "inputs[0].data", .elementCount(expected: 3, found: 2)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[2,2],\"datatype\":\"INT64\",\"data\":[[1,2],[1]]}]}",
            "inputs[0].data[1]", .nestedCount(expected: 2, found: 1)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,3],\"datatype\":\"INT64\",\"data\":[1,2.5,3]}]}",
            "inputs[0].data[1]", .notAnInteger
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,2],\"datatype\":\"INT8\",\"data\":[[1,200]]}]}",
            "inputs[0].data[0][1]", .integerOutOfRange(lower: -128, upper: 127)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1,2],\"datatype\":\"INT64\",\"data\":[[1,20]]}]}",
            "inputs[0].data[0][1]", .integerOutOfRange(lower: 0, upper: 19)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[0,2],\"datatype\":\"INT64\",\"data\":[]}]}",
            "inputs[0].shape", .noSequences
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[2,0],\"datatype\":\"INT64\",\"data\":[]}]}",
            "inputs[0].shape", .emptySequence
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[4000000000,4000000000],\"datatype\":\"INT64\",\"data\":[]}]}",
            "inputs[0].shape[0]", .integerOutOfRange(lower: 0, upper: 1 << 31)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[2000000000,2000000000],\"datatype\":\"INT64\",\"data\":[]}]}",
            "inputs[0].shape", .tooLarge
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[4096,131072],\"datatype\":\"INT64\",\"data\":[1]}]}",
            "inputs[0].data", .elementCount(expected: 4096 * 131_072, found: 1)
        ),
        (
            "{\"inputs\":[\(tokens),{\"name\":\"mask\",\"shape\":[1,3],\"datatype\":\"BOOL\",\"data\":[1,0,1]}]}",
            "inputs[1].data[2]", .maskNotRightPadded
        ),
        (
            "{\"inputs\":[\(tokens),{\"name\":\"mask\",\"shape\":[1,3],\"datatype\":\"INT64\",\"data\":[2,0,0]}]}",
            "inputs[1].data[0]", .integerOutOfRange(lower: 0, upper: 1)
        ),
        (
            "{\"inputs\":[\(tokens),{\"name\":\"mask\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[[0,0,0]]}]}",
            "inputs[1].data[0][0]", .emptySequence
        ),
        (
            "{\"inputs\":[\(tokens),{\"name\":\"lengths\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[4]}]}",
            "inputs[1].data[0]", .integerOutOfRange(lower: 1, upper: 3)
        ),
        (
            "{\"inputs\":[{\"name\":\"tokens\",\"shape\":[1],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":8}}]}",
            "inputs[0].parameters.binary_data_size", .binaryData
        ),
    ])
    func `a broken rule is named with its place`(_ text: String, _ path: String, _ rule: InputRule) throws {
        let signature = try BodyFixtures.tokens()
        let error = BodyFixtures.error { () throws(BodyError) in try decode(text, signature) }
        #expect(error?.place.path == path)
        #expect(error == .invalidInput(rule, at: error?.place ?? BodyPlace()))
    }

    @Test func `features take their own types and layout only`() throws {
        let signature = BodyFixtures.features(2, layout: .channelsLast)
        for (shape, datatype, path) in [
            ([1, 2, 3], "FP32", "inputs[0].shape"), ([1, 3, 2], "INT64", "inputs[0].datatype"),
            ([1, 1, 2], "FP32", "inputs[0].data[0]"),
        ] {
            let count = shape.reduce(1, *)
            let data = "\([1e39] + [Double](repeating: 1, count: count - 1))"
            let error = BodyFixtures.error { () throws(BodyError) in
                try decode(body(input("x", shape, datatype, data)), signature)
            }
            #expect(error?.place.path == path)
        }
    }

    @Test func `answers are rectangles in the model's own layout, zero at padding`() throws {
        let signature = BodyFixtures.features(2)
        let request = TensorsRequest(
            id: "a\"b",
            batch: try SequenceBatch(rows: Tensor(repeating: Float(1), shape: [3, 2]), lengths: [2, 1]),
            paddedLength: 3
        )
        let normalized = SequenceOutput(
            name: "normalized",
            rows: try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]),
            lengths: [2, 1]
        )
        let predictions = SequenceOutput(
            name: "predictions",
            rows: try Tensor([7, 8] as [Int64], shape: [2, 1])
        )
        let encoder = TensorsEncoder(modelName: "m", modelVersion: "1", signature: signature)
        let text = try encoder.encode([predictions, normalized], for: request).text
        #expect(
            text
                == "{\"model_name\":\"m\",\"model_version\":\"1\",\"id\":\"a\\\"b\",\"outputs\":["
                + "{\"name\":\"predictions\",\"shape\":[2,1],\"datatype\":\"INT64\",\"data\":[7,8]},"
                + "{\"name\":\"normalized\",\"shape\":[2,2,3],\"datatype\":\"FP32\","
                + "\"data\":[1,3,0.0,2,4,0.0,5,0.0,0.0,6,0.0,0.0]}]}"
        )
    }

    @Test func `what is encoded decodes to the same batch`() throws {
        for layout in [SequenceInput.Layout.channelsFirst, .channelsLast] {
            let timeAxis = layout == .channelsFirst ? 2 : 1
            var signature = BodyFixtures.features(3, layout: layout)
            signature.outputs = [
                OutputSignature(name: "x", kind: .perPosition(timeAxis: timeAxis), features: [3])
            ]
            let values = (0..<18).map { Float($0) * 0.1 }
            let batch = try SequenceBatch(rows: Tensor(values, shape: [6, 3]), lengths: [1, 3, 2])
            let output = SequenceOutput(name: "x", rows: batch.rows, lengths: batch.lengths)
            let request = TensorsRequest(batch: batch, paddedLength: 4)
            let text = try TensorsEncoder(modelName: "m", modelVersion: nil, signature: signature)
                .encode([output], for: request).text
            let inputs = text.replacing("{\"model_name\":\"m\",\"outputs\"", with: "{\"inputs\"")
            let lengths = input("lengths", [3], "INT64", "[1,3,2]")
            let read = try decode(inputs.dropLast(2) + ",\(lengths)]}", signature)
            #expect(read == request)
        }
    }

    @Test func `a body cut at any byte is refused`() throws {
        let signature = try BodyFixtures.tokens()
        let text = Array(body(Self.tokens, input("mask", [1, 3], "BOOL", "[true,true,false]")).utf8)
        for end in 0..<text.count {
            let error = BodyFixtures.error { () throws(BodyError) in
                try TensorsDecoder(signature: signature).decode(ByteBuffer(bytes: text[..<end]))
            }
            guard case .invalidJSON = error else {
                Issue.record("cut at \(end)")
                continue
            }
        }
    }
}
