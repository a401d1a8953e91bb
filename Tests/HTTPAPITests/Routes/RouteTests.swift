import NIOHTTP1
import Testing

@testable import HTTPAPI

@Suite(.timeLimit(.minutes(5))) struct RouteTests {
    private static let predict = "/v1/models/peptide-bytenet:predict"

    @Test(arguments: ["/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready"])
    func `probes say yes`(path: String) async throws {
        let answer = try await TestService.shared.call(.GET, path)
        #expect(answer.status == 200)
        #expect(answer.body == (path.contains("live") ? #"{"live":true}"# : #"{"ready":true}"#))
    }

    @Test func `models are listed and described`() async throws {
        let service = try await TestService.shared
        let list = await service.call(.GET, "/v1/models")
        #expect(list.body == #"{"models":["peptide-bytenet","vowels-bnlstm","vowels-cnn"]}"#)
        let status = await service.call(.GET, "/v1/models/vowels-cnn")
        let version = #"{"state":"AVAILABLE","status":{"error_code":"OK","error_message":""},"version":"1"}"#
        #expect(status.body == #"{"model_version_status":[\#(version)],"name":"vowels-cnn","ready":true}"#)
        #expect(await service.call(.GET, "/v1/models/vowels-cnn/versions/1").body == status.body)
        let metadata = await service.call(.GET, "/v1/models/vowels-cnn/metadata")
        #expect(metadata.status == 200)
        #expect(try metadata.json["metadata"]?["signature"]?["sequence"]?["name"] == .string("x"))
        #expect(await service.call(.GET, "/v1/models/vowels-cnn/versions/1/metadata").body == metadata.body)
    }

    @Test func `the open inference protocol describes server and models`() async throws {
        let service = try await TestService.shared
        for path in ["/v2", "/v2/"] {
            #expect(
                await service.call(.GET, path).body
                    == #"{"extensions":[],"name":"seqnorm","version":"1.2.3"}"#
            )
        }
        let model = await service.call(.GET, "/v2/models/vowels-cnn")
        #expect(try model.json["platform"] == .string("onnx_onnxv1"))
        let inputs = try model.json["inputs"]
        #expect(inputs?.array?.first?["shape"] == .array([.number(-1), .number(12), .number(-1)]))
        let ready = await service.call(.GET, "/v2/models/vowels-cnn/versions/1/ready")
        #expect(ready.body == #"{"name":"vowels-cnn","ready":true}"#)
    }

    @Test func `letters ids and named inputs are the same sequence in every format`() async throws {
        let service = try await TestService.shared
        let json = await service.call(.POST, Self.predict, body: #"{"instances": ["GLFDIVKK", "ACD"]}"#)
        #expect(json.status == 200)
        let answers = try #require(try json.json["predictions"]?.array)
        #expect(answers.count == 2)
        let fasta = await service.call(
            .POST,
            Self.predict,
            headers: ["content-type": "text/x-fasta"],
            body: ">a b\nGLFD\nIVKK\n>c\nACD"
        )
        #expect(fasta.body == json.body)
        let lines = await service.call(
            .POST,
            Self.predict,
            headers: ["content-type": "application/x-ndjson"],
            body: "\"GLFDIVKK\"\n\n{\"id\": 7, \"sequence\": \"ACD\"}\n"
        )
        #expect(lines.headers.first(name: "content-type") == "application/x-ndjson")
        let rows = try lines.body.split(separator: "\n").map { try JSONText(String($0)) }
        #expect(rows.map { $0["predictions"] } == answers)
        #expect(rows.last?["id"] == .number(7))
        let versioned = await service.call(
            .POST,
            "/v1/models/peptide-bytenet/versions/1:predict",
            body: #"{"instances": ["GLFDIVKK", "ACD"]}"#
        )
        #expect(versioned.body == json.body)
    }

    @Test func `layers inside of a loop are normalized as well, the last one if none is named`() async throws
    {
        let service = try await TestService.shared
        let path = "/v1/models/vowels-bnlstm:normalize"
        let frame = "[\(Array(repeating: "0.5", count: 12).joined(separator: ","))]"
        let instances = #""instances": [[\#(frame), \#(frame)], [\#(frame)]]"#
        let answer = await service.call(.POST, path, body: #"{\#(instances), "layer": "lstm.bn_x"}"#)
        #expect(answer.status == 200)
        let sequences = try #require(try answer.json["normalized"]?.array)
        #expect(sequences.map { $0.array?.count } == [2, 1])
        #expect(sequences[0].array?.map { $0.array?.count } == [256, 256])
        let unnamed = await service.call(.POST, path, body: "{\(instances)}")
        let last = await service.call(.POST, path, body: #"{\#(instances), "layer": "lstm.bn_c"}"#)
        #expect(unnamed.status == 200)
        #expect(unnamed.body == last.body)
        let metadata = await service.call(.GET, "/v1/models/vowels-bnlstm/metadata")
        let layers = try metadata.json["metadata"]?["layers"]?.array
        #expect(layers?.map { $0["name"]?.string } == ["lstm.bn_x", "lstm.bn_h", "lstm.bn_c"])
    }

    @Test func `a wrong line gets its error and the others their answers`() async throws {
        let service = try await TestService.shared
        let good = await service.call(.POST, Self.predict, body: #"{"instances": ["ACD"]}"#)
        let answer = try #require(try good.json["predictions"]?.array?.first)
        let lines = (0..<200).map {
            $0 % 3 == 1 ? "{\"id\":\($0),\"sequence\":\"A1\"}" : "{\"id\":\($0),\"sequence\":\"ACD\"}"
        }
        let reply = await service.call(
            .POST,
            Self.predict,
            headers: ["content-type": "application/x-ndjson"],
            body: lines.joined(separator: "\n")
        )
        let rows = try reply.body.split(separator: "\n").map { try JSONText(String($0)) }
        #expect(rows.count == 200)
        for (index, row) in rows.enumerated() {
            #expect(row["id"] == .number(Double(index)))
            if index % 3 == 1 {
                #expect(row["code"] == .string("invalid_input"))
                #expect(row["line"] == .number(Double(index + 1)))
                #expect(row["path"] == .string("sequence[1]"))
            } else {
                #expect(row["predictions"] == answer)
            }
        }
    }

    @Test func `normalize gives each sequence its own length`() async throws {
        let service = try await TestService.shared
        let answer = await service.call(
            .POST,
            "/v1/models/peptide-bytenet:normalize",
            body: #"{"instances": ["ACDEF", "A"]}"#
        )
        #expect(answer.status == 200)
        #expect(try answer.json["normalized"]?.array?.map { $0.array?.count } == [5, 1])
        let alone = await service.call(
            .POST,
            "/v1/models/peptide-bytenet/versions/1:normalize",
            body: #"{"instances": ["A"]}"#
        )
        #expect(try alone.json["normalized"]?.array?.first == (try answer.json["normalized"]?.array?.last))
    }

    @Test func `infer answers padded tensors`() async throws {
        let service = try await TestService.shared
        let body = """
            {"id": "42", "inputs": [
              {"name": "tokens", "shape": [2, 3], "datatype": "INT64", "data": [5, 9, 4, 5, 9, 0]},
              {"name": "mask", "shape": [2, 1, 3], "datatype": "FP32", "data": [1, 1, 1, 1, 1, 0]}],
             "outputs": [{"name": "predictions"}]}
            """
        for path in ["/v2/models/peptide-bytenet/infer", "/v2/models/peptide-bytenet/versions/1/infer"] {
            let answer = await service.call(.POST, path, body: body)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(try answer.json["id"] == .string("42"))
            let data = try answer.json["outputs"]?.array?.first?["data"]?.array
            let rows = await service.call(
                .POST,
                Self.predict,
                body: #"{"instances": [[5, 9, 4], [5, 9]], "outputs": ["predictions"]}"#
            )
            #expect(try rows.json["predictions"]?.array?.flatMap { $0.array ?? [] } == data)
        }
    }

    @Test func `metrics and pages are given and linked`() async throws {
        let service = try await TestService.shared
        let metrics = await service.call(.GET, "/metrics")
        #expect(metrics.headers.first(name: "content-type") == "text/plain; version=0.0.4; charset=utf-8")
        #expect(metrics.body.contains("\nseqnorm_ready 1\n"))
        #expect(metrics.body.contains("seqnorm_build_info{version=\"1.2.3\"} 1\n"))
        let page = await service.call(.GET, "/")
        let links = page.body.matches(of: /href="([^"]*)"/).map { String($0.1) }
        #expect(links.count >= 7)
        for link in links { #expect(await service.call(.GET, link).status == 200, "\(link)") }
    }

    @Test func `wrong verbs are told the right ones`() async throws {
        let service = try await TestService.shared
        for route in service.api.router.routes {
            let path = route.template.description
                .replacing("{model}", with: "vowels-cnn").replacing("{version}", with: "1")
            let answer = await service.call(.DELETE, path)
            #expect(answer.status == 405)
            let allowed = try #require(answer.headers.first(name: "allow"))
            #expect(allowed.contains(route.method.rawValue))
            let options = await service.call(.OPTIONS, path)
            #expect(options.status == 204)
            #expect(options.headers.first(name: "allow") == allowed)
        }
        #expect(await service.call(.OPTIONS, "*").status == 204)
    }
}
