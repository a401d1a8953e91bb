import NIOHTTP1
import Serving
import Testing

@testable import HTTPAPI

/// What a request asks of its treatment: priority, time, single faults.
@Suite(.timeLimit(.minutes(5))) struct HandlingTests {
    private static let predict = "/v1/models/peptide-bytenet:predict"
    private static let infer = "/v2/models/peptide-bytenet/infer"

    @Test func `good rows are answered and the others are null, each with its error`() async throws {
        let service = try await TestService.shared
        let body = #"{"instances": ["ACD", "A1", "", "ACDEF", 7], "parameters": {"on_error": "isolate"}}"#
        let answer = await service.call(.POST, Self.predict, body: body)
        #expect(answer.status == 200, "\(answer.body)")
        let alone = await service.call(.POST, Self.predict, body: #"{"instances": ["ACD", "ACDEF"]}"#)
        let good = try #require(try alone.json["predictions"]?.array)
        #expect(try answer.json["predictions"]?.array == [good[0], .null, .null, good[1], .null])
        let errors = try #require(try answer.json["errors"]?.array)
        #expect(errors.map { $0["index"] } == [.number(1), .number(2), .number(4)])
        #expect(errors.map { $0["path"] } == ["[1][1]", "[2]", "[4]"].map { .string("instances" + $0) })
        #expect(errors.map { $0["code"]?.string } == ["invalid_input", "invalid_input", "invalid_json"])
        #expect(errors.map { $0["status"] } == [.number(422), .number(422), .number(400)])
    }

    @Test func `where nothing is wrong the list of errors is empty, where all is no row is answered`()
        async throws
    {
        let service = try await TestService.shared
        let parameters = #""parameters": {"on_error": "isolate"}"#
        let fine = await service.call(.POST, Self.predict, body: #"{"instances": ["ACD"], \#(parameters)}"#)
        #expect(try fine.json["errors"] == .array([]))
        #expect(try fine.json["predictions"]?.array?.count == 1)
        let none = await service.call(
            .POST,
            Self.predict,
            body: #"{"instances": ["1", "2"], \#(parameters)}"#
        )
        #expect(none.status == 200)
        #expect(try none.json["predictions"] == .array([.null, .null]))
        #expect(try none.json["errors"]?.array?.count == 2)
    }

    @Test func `a request that fails names every faulty row, up to a bound`() async throws {
        let service = try await TestService.shared
        let few = await service.call(.POST, Self.predict, body: #"{"instances": ["A", "1", "A", "A2"]}"#)
        #expect(few.status == 422)
        #expect(try few.json["path"] == .string("instances[1][0]"))
        #expect(try few.json["error_count"] == .number(2))
        let paths = try few.json["errors"]?.array?.map { $0["path"]?.string }
        #expect(paths == ["instances[1][0]", "instances[3][1]"])
        let rows = Array(repeating: "\"1\"", count: 100).joined(separator: ",")
        let many = await service.call(.POST, Self.predict, body: #"{"instances": [\#(rows)]}"#)
        #expect(try many.json["error_count"] == .number(100))
        #expect(try many.json["errors"]?.array?.count == APIError.maxFaults)
        let one = await service.call(.POST, Self.predict, body: #"{"instances": ["A", "1"]}"#)
        #expect(try one.json["errors"] == nil && one.json["error_count"] == nil)
        let fasta = await service.call(
            .POST,
            Self.predict,
            headers: ["content-type": "text/x-fasta"],
            body: ">a\nA1\n>b\nA\n>c\n2\n"
        )
        #expect(try fasta.json["errors"]?.array?.map { $0["index"] } == [.number(0), .number(2)])
        #expect(try fasta.json["path"] == .string("line 2, sequence[1]"))
    }

    @Test(arguments: [
        #""on_error": "skip""#, #""on_error": 1"#, #""priority": "urgent""#, #""timeout_ms": 0"#,
        #""timeout_ms": 1.5"#, #""timing": 1"#, #""unknown": 1"#,
    ])
    func `parameters that break their rule are refused by name`(parameter: String) async throws {
        let body = #"{"instances": ["ACD"], "parameters": {\#(parameter)}}"#
        let answer = await (try TestService.shared).call(.POST, Self.predict, body: body)
        #expect(answer.status == 422 || answer.status == 400)
        #expect(try answer.json["path"]?.string?.hasPrefix("parameters.") == true)
    }

    @Test(arguments: [
        ("x-request-timeout", "soon"), ("x-request-timeout", "-1"), ("x-request-timeout", "nan"),
        ("X-Request-Priority", "urgent"),
    ])
    func `header fields that break their rule are refused by name`(name: String, value: String) async throws {
        for path in [Self.predict, Self.infer] {
            let body =
                path == Self.infer
                ? #"{"inputs": [{"name": "tokens", "shape": [1, 1], "datatype": "INT64", "data": [5]}]}"#
                : #"{"instances": ["ACD"]}"#
            let answer = await (try TestService.shared).call(.POST, path, headers: [name: value], body: body)
            #expect(answer.status == 400)
            #expect(try answer.json["code"] == .string("malformed_request"))
        }
    }

    @Test func `the shorter time holds, and the body's priority`() throws {
        let headers: HTTPHeaders = [
            "X-REQUEST-TIMEOUT": "2", "x-request-priority": "bulk", "X-Request-Timing": "1",
        ]
        let terms = try RequestTerms(headers)
        let now = ContinuousClock.now
        #expect(terms.wantsTiming)
        let plain = terms.handling(since: now, standard: .seconds(9))
        #expect(plain == RequestHandling(priority: .bulk, deadline: now + .seconds(2)))
        let parameters = RequestParameters(
            priority: .interactive,
            timeoutMilliseconds: 500,
            isolatesFaults: true
        )
        let both = terms.handling(parameters, since: now, standard: .seconds(9))
        #expect(both.priority == .interactive && both.isolatesFaults)
        #expect(both.deadline == now + .milliseconds(500))
        let none = try RequestTerms([:])
        #expect(none.handling(since: now, standard: .seconds(9)).deadline == now + .seconds(9))
        #expect(none.handling(since: now, standard: nil) == RequestHandling())
    }

    @Test func `what is asked for in time and as bulk work is answered as ever`() async throws {
        let service = try await TestService.shared
        let plain = await service.call(.POST, Self.predict, body: #"{"instances": ["ACD"]}"#)
        let body = #"{"instances": ["ACD"], "parameters": {"priority": "bulk", "timeout_ms": 60000}}"#
        let headers: HTTPHeaders = ["x-request-timeout": "60", "x-request-priority": "interactive"]
        #expect(await service.call(.POST, Self.predict, headers: headers, body: body).body == plain.body)
        let tensors = #"""
            {"inputs": [{"name": "tokens", "shape": [1, 1], "datatype": "INT64", "data": [5]}],
             "parameters": {"priority": "bulk", "timeout_ms": 60000, "anything": {"else": 1}}}
            """#
        #expect(await service.call(.POST, Self.infer, body: tensors).status == 200)
    }
}
