import Foundation
import HTTPServer
import Logging
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPAPI

/// Keys, scopes, and the split between traffic and control, on the router.
@Suite struct AccessTests {
    /// Digests of `alpha` (infer), `beta` (metrics) and `gamma` (admin).
    private static let keys = """
        alice infer 8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8
        monitor metrics f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753
        """
    private static let open = [
        "/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready", "/openapi.yaml",
    ]

    private func api(keys: Bool) async throws -> ServingAPI {
        var options = ServingAPI.Options()
        if keys {
            let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try Data(Self.keys.utf8).write(to: url)
            defer { try? FileManager.default.removeItem(at: url) }
            options.access = try AccessControl(path: url.path)
        }
        return ServingAPI(
            service: try await TestService.shared.service,
            registry: PrometheusRegistry(),
            options: options,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func answer(_ api: ServingAPI, _ path: String, key: String? = nil, _ method: HTTPMethod = .GET)
        async -> HTTPResponse
    {
        var request = HTTPRequest(method: method, path: path)
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        return await api.reply(to: request).response
    }

    @Test func `probes and the description need no key, everything else does`() async throws {
        let api = try await api(keys: true)
        for route in api.router.routes {
            let path = "\(route.template)".replacing("{model}", with: "vowels-cnn").replacing(
                "{version}",
                with: "1"
            )
            let status = await answer(api, path, route.method).status
            if Self.open.contains(path) {
                #expect(status == .ok, "\(path)")
            } else {
                #expect(status == .unauthorized, "\(path)")
            }
        }
    }

    @Test func `a key opens what it is for`() async throws {
        let api = try await api(keys: true)
        #expect(await answer(api, "/v1/models", key: "alpha").status == .ok)
        #expect(await answer(api, "/metrics", key: "beta").status == .ok)
        let forbidden = await answer(api, "/metrics", key: "alpha")
        #expect(forbidden.status == .forbidden)
        #expect(await answer(api, "/v1/models", key: "beta").status == .forbidden)
        let unknown = await answer(api, "/v1/models", key: "gamma")
        #expect(unknown.status == .unauthorized)
        let challenge = #"Bearer realm="seqnorm", error="invalid_token""#
        #expect(unknown.headers.first(name: "www-authenticate") == challenge)
        let missing = await answer(api, "/v1/models")
        #expect(missing.headers.first(name: "www-authenticate") == #"Bearer realm="seqnorm""#)
        #expect(await answer(api, "/nothing").status == .notFound)
        #expect(await answer(api, "/metrics", .OPTIONS).status == .noContent)
    }

    @Test func `a body is not read for a request without leave`() async throws {
        let api = try await api(keys: true)
        var request = HTTPRequest(method: .POST, path: "/v1/models/vowels-cnn:predict")
        #expect(api.refusal(of: request)?.status == .unauthorized)
        request.headers.add(name: "X-API-Key", value: "beta")
        #expect(api.refusal(of: request)?.status == .forbidden)
        request.headers.replaceOrAdd(name: "X-API-Key", value: "alpha")
        #expect(api.refusal(of: request) == nil)
        #expect(try await self.api(keys: false).refusal(of: HTTPRequest(method: .POST, path: "/")) == nil)
    }

    @Test func `traffic and control share the probes only`() async throws {
        let api = try await api(keys: false)
        let traffic = api.restricted(to: [.infer])
        let control = api.restricted(to: [.metrics, .admin])
        for path in Self.open {
            #expect(await answer(traffic, path).status == .ok)
            #expect(await answer(control, path).status == .ok)
        }
        for (path, isTraffic) in [("/v1/models", true), ("/", true), ("/metrics", false)] {
            #expect(await answer(traffic, path).status == (isTraffic ? .ok : .notFound))
            #expect(await answer(control, path).status == (isTraffic ? .notFound : .ok))
        }
    }

    @Test func `a page is held to what it is`() async throws {
        let page = await answer(try await api(keys: false), "/")
        #expect(page.headers.first(name: "content-security-policy")?.hasPrefix("default-src 'none'") == true)
        #expect(page.headers.first(name: "x-content-type-options") == "nosniff")
        #expect(page.headers.first(name: "x-frame-options") == "DENY")
        #expect(page.headers.first(name: "referrer-policy") == "no-referrer")
    }
}

extension AccessTests {
    private func answer(_ api: ServingAPI, _ path: String, _ method: HTTPMethod) async -> HTTPResponse {
        await answer(api, path, key: nil, method)
    }
}
