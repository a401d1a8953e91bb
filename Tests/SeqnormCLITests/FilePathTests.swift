import Testing

@testable import SeqnormCLI

@Suite struct FilePathTests {
    @Test(arguments: [
        ("-", ".", "-"), ("", ".", ""), ("/", "/", "/"), ("a", ".", "a"), ("/a", "/", "a"), ("a/b", "a", "b"),
        ("a/b/", "a", "b"), ("./x.onnx", ".", "x.onnx"), ("../é/ü", "../é", "ü"),
    ])
    func `a path has a folder and a name`(path: String, folder: String, name: String) {
        #expect(FilePath.folder(path) == folder)
        #expect(FilePath.name(path) == name)
    }

    @Test func `a name is joined with one slash`() {
        #expect(FilePath.joining("a", "b") == "a/b")
        #expect(FilePath.joining("/", "b") == "/b")
    }
}
