import Testing

@testable import HTTPServer

@Suite struct APIKeysTests {
    /// SHA-256 of `alpha` and `beta`.
    static let alpha = "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"
    static let beta = "f44e64e75f3948e9f73f8dfa94721c4ce8cbb4f265c4790c702b2d41cfbf2753"

    @Test func `a key is known by its digest, with its scopes`() throws {
        let keys = try APIKeys(
            """
            # who may what

            alice infer,metrics \(Self.alpha)
              bob\tadmin   \(Self.beta.uppercased())
            """
        )
        #expect(keys.count == 2)
        #expect(keys.scopes(of: "alpha") == [.infer, .metrics])
        #expect(keys.scopes(of: "beta") == [.admin])
        for other in ["", "alph", "alphaa", "Alpha", Self.alpha, "gamma"] {
            #expect(keys.scopes(of: other) == nil)
        }
    }

    @Test(
        arguments: [
            ("alice infer", .notThreeWords), ("alice infer \(alpha) more", .notThreeWords),
            ("alice all \(alpha)", .unknownScope), ("alice infer, \(alpha)", .unknownScope),
            ("alice infer \(alpha.dropLast())", .notADigest),
            ("alice infer \(alpha.dropLast())g", .notADigest),
            ("alice infer alpha", .notADigest),
            ("bob infer \(alpha)", .secondName), ("alice infer \(beta)", .secondDigest),
        ] as [(String, APIKeys.LineFault)]
    )
    func `one bad line spoils the file and is named, not shown`(line: String, reason: APIKeys.LineFault) {
        let fault = #expect(throws: APIKeys.Fault.self) { try APIKeys("bob admin \(Self.beta)\n\n\(line)\n") }
        #expect(fault == APIKeys.Fault(line: 3, reason: reason))
        #expect(fault?.description.hasPrefix("line 3: ") == true)
        #expect(fault?.description.contains(Self.alpha) == false)
    }

    @Test func `a file without keys lets nobody in`() throws {
        #expect(try APIKeys("# nobody\n").scopes(of: "") == nil)
    }
}
