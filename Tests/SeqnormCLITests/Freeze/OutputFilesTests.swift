import Foundation
import Testing

@testable import SeqnormCLI

@Suite struct OutputFilesTests {
    @Test func `files appear together`() throws {
        let folder = try TemporaryFolder(["old": "old"])
        var output = OutputFiles()
        try output.add(Data("new".utf8), at: folder.path("old"))
        try output.add(Data("other".utf8), at: folder.path("other"))
        #expect(try folder.text("old") == "old")
        try output.commit()
        output.discard()
        #expect(try folder.names == ["old", "other"])
        #expect(try folder.text("old") == "new")
    }

    @Test func `a file that cannot be written takes the others with it`() throws {
        let folder = try TemporaryFolder(["old": "old"])
        #expect(throws: CommandFault.self) {
            try OutputFiles.write(
                [(folder.path("old"), Data("new".utf8)), (folder.path("missing/x"), Data())],
                interruption: Interruption()
            )
        }
        #expect(try folder.names == ["old"])
        #expect(try folder.text("old") == "old")
    }

    @Test func `what cannot be written is known before the work`() throws {
        let folder = try TemporaryFolder(["file": ""])
        for paths in [
            [folder.path("missing/x")], [folder.path("file/x")], [folder.url.path],
            [folder.path("a"), folder.url.path + "/./a"],
        ] {
            #expect(throws: CommandFault.self) { try OutputFiles.check(paths) }
        }
        try OutputFiles.check([folder.path("a"), folder.path("b"), folder.path("file")])
    }
}
