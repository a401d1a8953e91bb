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
            let cells = [
                String(parts.last ?? ""), domain, "\(entry.opsets.lowerBound) to \(entry.opsets.upperBound)",
                entry.elementTypes ?? "of its parts",
                entry.hasRaggedRule.map { $0 ? "yes" : "no" } ?? "of its parts",
            ]
            return "| \(cells.joined(separator: " | ")) |"
        }
        return """
            # Operators

            Each operator with the opsets in which all its rules are kept; a model that uses another is refused with the node's
            name. Written from the registry by `\(command)`.

            The types are those of the values an operator computes with; indices, sizes and flags have types of their own. Floats
            are float16, bfloat16, float32 and float64; integers are those of 8, 16, 32 and 64 bits, with and without a sign; narrow
            types, floats of 8 and 4 bits and integers of 4 and 2, are stored and moved, not computed with; all are these and bool. 16-bit floats are computed in float32 and rounded. A packed rule runs a node over the rows of all sequences of a
            batch at once; a node without one, or whose inputs do not fit it, is run sequence by sequence, see [ragged.md](ragged.md).
            Fused operators are taken apart into operators of ONNX's own.

            | operator | domain | opsets | types | packed rule |
            |---|---|---|---|---|
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
