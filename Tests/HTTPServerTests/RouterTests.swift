import HTTPServer
import NIOHTTP1
import Testing

@Suite struct RouterTests {
    private let router = Router(
        [
            (.GET, "/"), (.GET, "/v1/models"), (.GET, "/v1/models/{model}"),
            (.POST, "/v1/models/{model}:predict"), (.POST, "/v1/models/{model}:normalize"),
            (.POST, "/v1/models/{model}/versions/{version}:predict"),
            (.GET, "/v1/models/{model}/versions/{version}"), (.GET, "/v1/models/{model}/metadata"),
            (.GET, "/v1/models/special"), (.GET, "/v2"), (.GET, "/v2/"),
        ].map { (method: HTTPMethod, template: String) in
            Route(method, PathTemplate(template)) { _ in .now(HTTPResponse(status: .ok)) }
        }
    )

    private func describe(_ method: HTTPMethod, _ path: String) -> String {
        switch router.match(method, path: path) {
        case .found(let route, let parameters):
            let caught = ["model", "version"].compactMap { parameters[$0] }
            return ([route.template.description] + caught).joined(separator: " ")
        case .methodNotAllowed(let allowed, _): return "405 " + allowed.map(\.rawValue).joined(separator: ",")
        case .options(let allowed, _): return "options " + allowed.map(\.rawValue).joined(separator: ",")
        case .notFound: return "404"
        case .malformed: return "400"
        }
    }

    @Test(arguments: [
        ("/", "/"), ("/v1/models", "/v1/models"), ("/v1/models/m", "/v1/models/{model} m"),
        ("/v1/models/a%20b%2Fc", "/v1/models/{model} a b/c"),
        ("/v1/models/m/versions/3", "/v1/models/{model}/versions/{version} m 3"),
        ("/v1/models/versions/metadata", "/v1/models/{model}/metadata versions"),
        ("/v1/models/special", "/v1/models/special"),
        ("/v1/models/special/metadata", "/v1/models/{model}/metadata special"),
        ("/v1/%6Dodels", "/v1/models"), ("/v2", "/v2"), ("/v2/", "/v2/"),
        ("/v1/models/x%3Apredict", "/v1/models/{model} x:predict"),
    ])
    func `a path finds its template and the placeholders catch their text`(path: String, expected: String) {
        #expect(describe(.GET, path) == expected)
        #expect(describe(.HEAD, path) == expected)
    }

    @Test(arguments: [
        ("/v1/models/m:predict", "/v1/models/{model}:predict m"),
        ("/v1/models/m%3Ax:normalize", "/v1/models/{model}:normalize m:x"),
        ("/v1/models/m:x:normalize", "404"), ("/v1/models/m:explain", "404"),
        ("/v1/models/m/versions/3:predict", "/v1/models/{model}/versions/{version}:predict m 3"),
    ])
    func `a suffix ends what its placeholder catches`(path: String, expected: String) {
        #expect(describe(.POST, path) == expected)
    }

    @Test(arguments: [
        "/nothing", "/v1", "/v1/models/", "/v1/models/m/versions", "/v1/models/m/versions/", "//",
        "/v1//models",
        "/v1/models/m/metadata/", "/V1/models", "/v2//",
    ])
    func `a path without a template is not found`(path: String) {
        #expect(describe(.GET, path) == "404")
    }

    @Test(arguments: [
        "", "v1", "/v1/models/%", "/v1/models/%4", "/v1/models/%zz", "/v1/models/%ff", "/%00", "*",
    ])
    func `a path that is not percent-encoded text is malformed`(path: String) {
        #expect(describe(.GET, path) == "400")
    }

    @Test func `a wrong verb is told the right ones`() {
        #expect(describe(.POST, "/v1/models") == "405 GET,HEAD,OPTIONS")
        #expect(describe(.GET, "/v1/models/m:predict") == "405 OPTIONS,POST")
        #expect(describe(.DELETE, "/v1/models/m:predict") == "405 OPTIONS,POST")
        #expect(describe(.RAW(value: "QUERY"), "/v2") == "405 GET,HEAD,OPTIONS")
    }

    @Test func `options lists the verbs of a path and of the server`() {
        #expect(describe(.OPTIONS, "/v1/models") == "options GET,HEAD,OPTIONS")
        #expect(describe(.OPTIONS, "/v1/models/m:predict") == "options OPTIONS,POST")
        #expect(describe(.OPTIONS, "*") == "options GET,HEAD,OPTIONS,POST")
        #expect(describe(.OPTIONS, "/nothing") == "404")
    }

    @Test func `every route of a router is found by its own template`() {
        for route in router.routes {
            let path = route.template.description.replacing("{model}", with: "m").replacing(
                "{version}",
                with: "1"
            )
            guard case .found(let found, _) = router.match(route.method, path: path) else {
                Issue.record("\(path) is not found")
                continue
            }
            #expect(found.template == route.template)
        }
    }
}
