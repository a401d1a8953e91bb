import Foundation
import Testing

@testable import Inference

/// `docs/operators.md` says what the registry says.
struct OperatorTableTests {
    private static let file = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/operators.md")
    private static let command = "SEQNORM_UPDATE_OPERATORS=1 swift test --filter OperatorTableTests"

    private static var text: String {
        let rows = OperatorRegistry.supported.map { entry in
            // A name of another domain than ONNX's own has the domain before it.
            let parts = entry.name.split(separator: ".")
            let domain = parts.count > 1 ? parts.dropLast().joined(separator: ".") : "ai.onnx"
            return
                "| \(parts.last ?? "") | \(domain) | \(entry.opsets.lowerBound) to \(entry.opsets.upperBound) |"
        }
        return """
            # Operators

            Each operator with the opsets in which all its rules are kept; a model that uses another is refused with the node's
            name. Written from the registry by `\(command)`.

            | operator | domain | opsets |
            |---|---|---|
            \(rows.joined(separator: "\n"))

            """
    }

    @Test func `the table of operators is that of the registry`() throws {
        let isUpdate = ProcessInfo.processInfo.environment["SEQNORM_UPDATE_OPERATORS"] == "1"
        if isUpdate { try Data(Self.text.utf8).write(to: Self.file) }
        let written = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(written == Self.text, "docs/operators.md is stale; write it anew: \(Self.command)")
    }

    @Test func `operators stand in order, each once`() {
        let names = OperatorRegistry.supported.map(\.name)
        #expect(names == Set(names).sorted())
    }
}
