import Foundation
import Testing
import Yams

@testable import HTTPAPI

@Suite struct OpenAPITests {
    private func operations() throws -> [String: [String: Any]] {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        let document = try #require(try Yams.load(yaml: text) as? [String: Any])
        return try #require(document["paths"] as? [String: [String: Any]])
    }

    @Test func `every route is described and every description is a route`() async throws {
        let described = try operations().flatMap { path, item in
            item.keys.filter { $0 != "parameters" }.map { "\($0.uppercased()) \(path)" }
        }
        let router = try await TestService.shared.api.router
        let routed = router.routes.map { "\($0.method.rawValue) \($0.template)" }
        #expect(Set(described) == Set(routed))
        #expect(described.count == routed.count)
    }

    @Test func `every operation has a name of its own and tells of refusals`() throws {
        var names: Set<String> = []
        for (path, item) in try operations() {
            for (method, operation) in item where method != "parameters" {
                let operation = try #require(operation as? [String: Any])
                let name = try #require(operation["operationId"] as? String)
                #expect(names.insert(name).inserted, "\(name) stands twice")
                let responses = try #require(operation["responses"] as? [String: Any])
                #expect(responses["200"] != nil && responses["default"] != nil, "\(method) \(path)")
            }
        }
    }

    @Test func `every placeholder of a path is a parameter of it`() throws {
        for (path, item) in try operations() {
            let placeholders = path.matches(of: /\{(\w+)\}/).map { String($0.1) }
            let references = (item["parameters"] as? [[String: String]] ?? []).compactMap { $0["$ref"] }
            #expect(references == placeholders.map { "#/components/parameters/\($0)" }, "\(path)")
        }
    }

    @Test func `the codes of errors are those of the server`() throws {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        let document = try #require(try Yams.load(yaml: text) as? [String: Any])
        var value: Any? = document
        for key in ["components", "schemas", "Error", "properties", "code", "enum"] {
            value = (value as? [String: Any])?[key]
        }
        let codes = try #require(value as? [String])
        #expect(Set(codes) == Set(APIError.Code.allCases.map(\.rawValue)))
    }

    @Test func `the server gives its description`() async throws {
        let answer = try await TestService.shared.call(.GET, "/openapi.yaml")
        #expect(answer.status == 200)
        #expect(answer.body.hasPrefix("openapi: 3.1"))
    }
}
