import Drawing
import FoundationEssentials
import ONNXGraph

/// Writes the drawing of a model as `.dot`, or with Graphviz's `dot` as `.svg`.
struct GraphFile {
    let path: String
    private let isDot: Bool

    /// What a file may end in.
    static let endings: Set = ["svg", "dot", "gv"]

    /// A file to draw into.
    ///
    /// - Parameter path: Ends in one of ``endings``.
    /// - Throws: A ``CommandFault`` of a folder that cannot be written to.
    init(path: String) throws(CommandFault) {
        isDot = FilePath.ending(path) != "svg"
        self.path = path
        try OutputFiles.check([path])
    }

    /// Draws a model; the file appears when it is complete.
    ///
    /// - Parameters:
    ///   - model: A validated model.
    ///   - title: What stands above the drawing.
    /// - Throws: A ``CommandFault``; nothing is left behind.
    func write(_ model: Model, title: String) throws(CommandFault) {
        let text = Data(GraphDrawing(model).dot(title: title).utf8)
        var files = OutputFiles()
        defer { files.discard() }
        try files.add(isDot ? text : try svg(text), at: path)
        try files.commit()
    }

    private func svg(_ text: Data) throws(CommandFault) -> Data {
        guard let program = Self.find("dot") else {
            throw CommandFault(
                place: path,
                reason:
                    "Graphviz's program dot draws it and is not on the PATH: install it (apt-get install graphviz), "
                    + "or write a .dot file"
            )
        }
        return try CommandFault.locating(path) {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("seqnorm-graph-\(UInt64.random(in: .min ... .max))")
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = folder.appendingPathComponent("graph.dot")
            let target = folder.appendingPathComponent("graph.svg")
            try text.write(to: source)
            if let fault = SilentProgram.run(program.path, ["-Tsvg", "-o", target.path, source.path]) {
                throw CommandFault(place: program.path, reason: fault)
            }
            return try Data(contentsOf: target)
        }
    }

    /// A program on the PATH.
    private static func find(_ name: String) -> URL? {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}
