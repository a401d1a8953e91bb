import Foundation
import NIOHTTP1
import Testing

@testable import HTTPServer

@Suite struct AccessControlTests {
    private func withFile(_ text: String, _ body: (URL) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url)
    }

    private func denial(_ access: AccessControl, _ headers: HTTPHeaders, _ scope: AccessScope = .infer)
        -> AccessDenied?
    {
        do {
            try access.check(headers, for: scope)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a key may come in either field`() throws {
        try withFile("alice infer \(APIKeysTests.alpha)\n") { url in
            let access = try AccessControl(path: url.path)
            for headers: HTTPHeaders in [
                ["Authorization": "Bearer alpha"], ["authorization": "bearer  alpha"], ["X-API-Key": "alpha"],
                ["Authorization": "Basic x", "X-Api-Key": "alpha"],
            ] {
                #expect(denial(access, headers) == nil)
                #expect(denial(access, headers, .metrics) == .missingScope(.metrics))
            }
            for headers: HTTPHeaders in [[:], ["Authorization": "Basic alpha"], ["Authorization": "Bearer"]] {
                #expect(denial(access, headers) == .missingKey)
            }
            #expect(denial(access, ["X-API-Key": "beta"]) == .unknownKey)
            #expect(denial(access, ["Authorization": "Bearer beta", "X-API-Key": "alpha"]) == .unknownKey)
        }
    }

    @Test func `keys are read anew, and a bad file keeps those that were`() throws {
        try withFile("alice infer \(APIKeysTests.alpha)\n") { url in
            let access = try AccessControl(path: url.path)
            #expect(!access.isStale)
            try Data("bob infer \(APIKeysTests.beta)\n".utf8).write(to: url, options: .atomic)
            #expect(access.isStale)
            #expect(denial(access, ["X-API-Key": "beta"]) == .unknownKey)
            try access.reload()
            #expect(!access.isStale)
            #expect(denial(access, ["X-API-Key": "beta"]) == nil)
            #expect(denial(access, ["X-API-Key": "alpha"]) == .unknownKey)

            try Data("bob infer".utf8).write(to: url, options: .atomic)
            let fault = #expect(throws: AccessControl.FileFault.self) { try access.reload() }
            #expect(fault?.description == "\(url.path): line 1: a line is NAME SCOPE[,SCOPE...] SHA256")
            #expect(!access.isStale)
            #expect(denial(access, ["X-API-Key": "beta"]) == nil)
            try FileManager.default.removeItem(at: url)
            #expect(access.isStale)
            #expect(throws: AccessControl.FileFault.self) { try access.reload() }
            #expect(denial(access, ["X-API-Key": "beta"]) == nil)
            try Data().write(to: url)
        }
    }
}
