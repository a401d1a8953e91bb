import Foundation
import HTTPAPI
import Inference
import NIOCore
import TensorCore
import Testing

@Suite struct InstancesDecoderTests {
    private func decode(_ text: String, _ signature: Signature) throws(BodyError) -> InstancesRequest {
        try InstancesDecoder(signature: signature).decode(ByteBuffer(string: text))
    }

    /// The numbers as Foundation reads them.
    private func oracle(_ text: String) throws -> [[[Float]]] {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let instances = try #require(object?["instances"] as? [[[NSNumber]]])
        return instances.map { $0.map { $0.map { Float($0.doubleValue) } } }
    }

    @Test func `every small shape is read as a slow reader reads it`() throws {
        var generator = FixedGenerator(seed: 1)
        for channels in 1...3 {
            let signature = BodyFixtures.features(channels)
            for lengths in [[1], [2], [4], [1, 3], [3, 1], [2, 2, 1], [1, 4, 3]] {
                let instances = lengths.map { length in
                    (0..<length).map { _ in
                        (0..<channels).map { _ in Double.random(in: -1e3...1e3, using: &generator) }
                    }
                }
                let text = "{\"instances\": \(instances)}"
                let request = try decode(text, signature)
                #expect(request.batch.lengths == lengths)
                #expect(request.batch.rows.shape == [lengths.reduce(0, +), channels])
                let expected = try oracle(text).flatMap { $0.flatMap(\.self) }
                #expect(request.batch.rows.array(of: Float.self) == expected)
            }
        }
    }

    @Test func `a float32 written in its shortest form keeps its bits`() throws {
        var generator = FixedGenerator(seed: 2)
        var values: [Float] = [0, -0.0, 1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
        values += [.leastNonzeroMagnitude, .leastNormalMagnitude, .ulpOfOne, 16_777_216, 1e10, 123_456_792]
        while values.count < 20_000 {
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            if value.isFinite { values.append(value) }
        }
        let output = SequenceOutput(name: "y", rows: try Tensor(values, shape: [1, values.count]))
        let answer = PredictionsEncoder().encode([output]).text
        let body = answer.replacing("{\"predictions\":[", with: "{\"instances\":[[").dropLast(2) + "]]}"
        let read = try decode(String(body), BodyFixtures.features(values.count))
        #expect(read.batch.rows.array(of: Float.self).map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func `the forms of a sequence are one`() throws {
        let tokens = try BodyFixtures.tokens()
        let forms = [
            "\"CAD\"", "[1, 0, 2]", "[1.0, 0, 2e0]", "{\"tokens\": \"CAD\"}", "{\"sequence\": [1,0,2]}",
        ]
        for form in forms {
            let batch = try decode("{\"instances\":[\(form)]}", tokens).batch
            #expect(batch.rows.array(of: Int64.self) == [1, 0, 2], "\(form)")
        }
        let features = BodyFixtures.features(2)
        let bare = try decode("{\"instances\":[[[1,2],[3,4]]]}", features)
        #expect(try decode("{\"instances\":[{\"x\":[[1,2],[3,4]]}]}", features) == bare)
    }

    @Test func `options are read`() throws {
        let signature = BodyFixtures.features(1, labels: ["a", "b", "c"])
        let options = "\"parameters\": {\"top_k\": 3}, \"signature_name\": \"serving_default\""
        let text = "{\"outputs\": [\"predictions\", \"normalized\"], \"instances\": [[[1]]], \(options)}"
        let request = try decode(text, signature)
        #expect(request.outputs == ["predictions", "normalized"])
        #expect(request.topK == 3)
        #expect(request.layer == nil)
        #expect(try decode("{\"instances\": [[[1]]], \"layer\": \"bn\"}", signature).layer == "bn")
    }

    @Test func `integers beyond 64 bits are numbers`() throws {
        let text = "{\"instances\":[[[100000000000000000000, -18446744073709551616]]]}"
        let numbers = try decode(text, BodyFixtures.features(2)).batch.rows.array(of: Float.self)
        #expect(numbers == [1e20, -18_446_744_073_709_551_616])
    }

    @Test func `letters beyond ASCII are letters`() throws {
        let signature = try BodyFixtures.tokens("aß漢")
        let batch = try decode("{\"instances\":[\"漢aß\", \"\\u6f22\"]}", signature).batch
        #expect(batch.rows.array(of: Int64.self) == [2, 0, 1, 2])
        let error = BodyFixtures.error { () throws(BodyError) in
            try decode("{\"instances\":[\"漢aéß\"]}", signature)
        }
        #expect(error?.place.path == "instances[0][2]")
    }

    @Test(arguments: [
        (
            "{\"instances\":[[[1,2]],[[1,2],[3]]]}", "instances[1][1]",
            InputRule.featureCount(expected: 2, found: 1)
        ),
        ("{\"instances\":[[[1,2,3]]]}", "instances[0][0]", .featureCount(expected: 2, found: 3)),
        ("{\"instances\":[[[1,2],[]]]}", "instances[0][1]", .featureCount(expected: 2, found: 0)),
        ("{\"instances\":[[]]}", "instances[0]", .emptySequence),
        ("{\"instances\":[{\"x\":[]}]}", "instances[0].x", .emptySequence),
        ("{\"instances\":[]}", "instances", .noSequences),
        ("{}", "", .missingKey("instances")),
        ("{\"instances\":[[[1,2],[1,1e39]]]}", "instances[0][1][1]", .outOfFloatRange),
        ("{\"instances\":[[[1,2],[1,-3.5e38]]]}", "instances[0][1][1]", .outOfFloatRange),
        ("{\"instances\":[[[1,1e400]]]}", "instances[0][0][1]", .outOfFloatRange),
        ("{\"instances\":[{\"y\":[[1,2]]}]}", "instances[0].y", .unknownKey(known: ["x"])),
        ("{\"instances\":[{}]}", "instances[0]", .missingKey("x")),
        ("{\"instances\":[{\"x\":[[1,2]],\"mask\":[1]}]}", "instances[0].mask", .maskNotTaken),
        ("{\"instances\":[{\"x\":[[1,2]],\"x\":[[1,2]]}]}", "instances[0].x", .duplicateKey),
        ("{\"instances\":[[[1,2]]],\"instances\":[]}", "instances", .duplicateKey),
        ("{\"inputs\":{\"x\":[[1,2]]}}", "inputs", .columnFormat),
        ("{\"instances\":[[[1,2]]],\"signature_name\":\"other\"}", "signature_name", .unknownSignature),
        ("{\"instances\":[[[1,2]]],\"outputs\":[]}", "outputs", .outputNames),
        ("{\"instances\":[[[1,2]]],\"outputs\":[\"a\",\"a\"]}", "outputs", .outputNames),
        ("{\"instances\":[[[1,2]]],\"outputs\":[\"a\"],\"layer\":\"b\"}", "layer", .outputsAndLayer),
        ("{\"instances\":[[[1,2]]],\"parameters\":{\"top_k\":0}}", "parameters.top_k", .topK(classes: 2)),
        ("{\"instances\":[[[1,2]]],\"parameters\":{\"top_k\":3}}", "parameters.top_k", .topK(classes: 2)),
        (
            "{\"instances\":[[[1,2]]],\"parameters\":{\"k\":3}}", "parameters.k",
            .unknownKey(known: ["top_k", "priority", "timeout_ms", "on_error", "timing"])
        ),
    ])
    func `a broken rule is named with its place`(_ text: String, _ path: String, _ rule: InputRule) {
        let signature = BodyFixtures.features(2, labels: ["a", "b"])
        let error = BodyFixtures.error { () throws(BodyError) in try decode(text, signature) }
        #expect(error?.place.path == path)
        #expect(error == .invalidInput(rule, at: error?.place ?? BodyPlace()))
    }

    @Test(arguments: [
        ("[]", "", [SyntaxFault.JSONType.object], SyntaxFault.JSONType.array),
        ("{\"instances\":{}}", "instances", [.array], .object),
        ("{\"instances\":[1]}", "instances[0]", [.array], .number),
        ("{\"instances\":[[1]]}", "instances[0][0]", [.array], .number),
        ("{\"instances\":[[[1,\"2\"]]]}", "instances[0][0][1]", [.number], .string),
        ("{\"instances\":[[[1,2],[null,1]]]}", "instances[0][1][0]", [.number], .null),
        ("{\"instances\":[[[1,[2]]]]}", "instances[0][0][1]", [.number], .array),
        ("{\"instances\":[{\"x\":[[true,2]]}]}", "instances[0].x[0][0]", [.number], .boolean),
        ("{\"instances\":[\"CAD\"]}", "instances[0]", [.array], .string),
        ("{\"instances\":[[[1,2]]],\"outputs\":\"a\"}", "outputs", [.array], .string),
        ("{\"instances\":[[[1,2]]],\"outputs\":[1]}", "outputs[0]", [.string], .number),
        ("{\"instances\":[[[1,2]]],\"layer\":null}", "layer", [.string], .null),
        ("{\"instances\":[[[1,2]]],\"parameters\":[]}", "parameters", [.object], .array),
        (
            "{\"instances\":[[[1,2]]],\"parameters\":{\"top_k\":\"1\"}}", "parameters.top_k", [.number],
            .string
        ),
    ])
    func `a wrong type is named with its place`(
        _ text: String,
        _ path: String,
        _ expected: [SyntaxFault.JSONType],
        _ found: SyntaxFault.JSONType
    ) {
        let signature = BodyFixtures.features(2, labels: ["a", "b"])
        let error = BodyFixtures.error { () throws(BodyError) in try decode(text, signature) }
        #expect(error?.place.path == path)
        #expect(
            error
                == .invalidJSON(.wrongType(expected: expected, found: found), at: error?.place ?? BodyPlace())
        )
    }

    @Test(arguments: [
        ("[\"CAX\"]", "instances[0][2]", InputRule.letterOutsideAlphabet),
        ("[\"CA\",\"cad\"]", "instances[1][0]", .letterOutsideAlphabet),
        ("[\"CA D\"]", "instances[0][2]", .letterOutsideAlphabet),
        ("[\"\"]", "instances[0]", .emptySequence),
        ("[[1,20]]", "instances[0][1]", .integerOutOfRange(lower: 0, upper: 19)),
        ("[[-1]]", "instances[0][0]", .integerOutOfRange(lower: 0, upper: 19)),
        ("[[1,9223372036854775808]]", "instances[0][1]", .integerOutOfRange(lower: 0, upper: 19)),
        ("[[1,1e300]]", "instances[0][1]", .integerOutOfRange(lower: 0, upper: 19)),
        ("[[1,0.5]]", "instances[0][1]", .notAnInteger),
    ])
    func `a broken rule of tokens is named with its place`(
        _ instances: String,
        _ path: String,
        _ rule: InputRule
    ) throws {
        let signature = try BodyFixtures.tokens()
        let error = BodyFixtures.error { () throws(BodyError) in
            try decode("{\"instances\":\(instances)}", signature)
        }
        #expect(error?.place.path == path)
        #expect(error == .invalidInput(rule, at: error?.place ?? BodyPlace()))
    }

    @Test func `limits are kept to the last allowed value`() throws {
        let limits = DecodingLimits(maxSequences: 2, maxPositions: 3)
        let decoder = InstancesDecoder(signature: try BodyFixtures.tokens(), limits: limits)
        _ = try decoder.decode(ByteBuffer(string: "{\"instances\":[\"AAA\",[1,1,1]]}"))
        let cases: [(String, String, InputRule)] = [
            ("[\"A\",\"A\",\"A\"]", "instances", .tooManySequences(limit: 2)),
            ("[\"A\",\"AAAA\"]", "instances[1]", .sequenceTooLong(limit: 3)),
            ("[\"A\",[1,1,1,1]]", "instances[1]", .sequenceTooLong(limit: 3)),
        ]
        for (instances, path, rule) in cases {
            let error = BodyFixtures.error { () throws(BodyError) in
                try decoder.decode(ByteBuffer(string: "{\"instances\":\(instances)}"))
            }
            #expect(error?.place.path == path)
            #expect(error?.message == rule.description)
        }
    }

    @Test func `text needs an alphabet and top_k needs labels`() throws {
        let noAlphabet = BodyFixtures.error { () throws(BodyError) in
            try decode(
                "{\"instances\":[\"A\"]}",
                Signature(sequence: SequenceInput(name: "t", kind: .tokens))
            )
        }
        #expect(noAlphabet == .invalidInput(.noAlphabet, at: BodyPlace([.key("instances"), .index(0)])))
        let noClasses = BodyFixtures.error { () throws(BodyError) in
            try decode("{\"instances\":[[[1]]],\"parameters\":{\"top_k\":1}}", BodyFixtures.features(1))
        }
        #expect(noClasses?.place.path == "parameters.top_k")
        #expect(noClasses?.message == InputRule.noClasses.description)
    }

    @Test func `bytes around the readable ones never matter`() throws {
        let text = "{\"instances\":[[[1,2],[3,4]]]}"
        let decoder = InstancesDecoder(signature: BodyFixtures.features(2))
        let expected = try decoder.decode(ByteBuffer(string: text))
        for after in [
            "", "]", "5", "\"", String(repeating: "[", count: 200), String(repeating: "9", count: 4096),
        ] {
            var buffer = ByteBuffer(string: "7[{\"" + text + after)
            buffer.moveReaderIndex(forwardBy: 4)
            buffer.moveWriterIndex(to: buffer.writerIndex - after.utf8.count)
            #expect(try decoder.decode(buffer) == expected)
            let slice = try #require(buffer.getSlice(at: buffer.readerIndex, length: text.utf8.count))
            #expect(try decoder.decode(slice) == expected)
        }
    }
}
