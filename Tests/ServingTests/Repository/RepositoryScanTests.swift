import Foundation
import Testing

@testable import Serving

struct RepositoryScanTests {
    /// What a scan found, as `name/version path`, or `name/version! fault`.
    private func scan(_ paths: [String], in folder: TemporaryFolder) throws -> [String] {
        try RepositoryScan.locations(at: paths.map { folder.url.appendingPathComponent($0) }).map {
            location in
            let title = "\(location.name)/\(location.version)"
            guard let file = location.file else { return "\(title)! \(location.fault ?? "")" }
            return "\(title) \(file.path.dropFirst(folder.url.path.count + 1))"
        }
    }

    private func folder(_ files: String...) throws -> TemporaryFolder {
        try TemporaryFolder(Dictionary(uniqueKeysWithValues: files.map { ($0, Data()) }))
    }

    private func path(_ name: String, in folder: TemporaryFolder) -> String {
        folder.url.appendingPathComponent(name).standardizedFileURL.path
    }

    @Test func `a folder of models holds models' folders and files; what is neither is passed over`() throws {
        let folder = try folder(
            "m/b/10/model.onnx",
            "m/b/9/model.onnx",
            "m/a/1/model.onnx",
            "m/c.onnx",
            "m/README.md",
            "m/lost+found/",
            "m/data/x.bin",
            "m/.git/1/model.onnx"
        )
        #expect(
            try scan(["m"], in: folder) == [
                "a/1 m/a/1/model.onnx", "b/9 m/b/9/model.onnx", "b/10 m/b/10/model.onnx", "c/1 m/c.onnx",
            ]
        )
    }

    @Test func `a model's folder, a version's folder and a file are paths too`() throws {
        let folder = try folder("m/a/1/model.onnx", "m/a/3/model.onnx", "x/inference.onnx", "y/z/model.onnx")
        #expect(try scan(["m/a"], in: folder) == ["a/1 m/a/1/model.onnx", "a/3 m/a/3/model.onnx"])
        #expect(try scan(["m/a/3"], in: folder) == ["a/3 m/a/3/model.onnx"])
        #expect(try scan(["m/a/3/model.onnx"], in: folder) == ["a/3 m/a/3/model.onnx"])
        #expect(
            try scan(["m/a/1", "m/a/3"], in: folder) == ["a/1 m/a/1/model.onnx", "a/3 m/a/3/model.onnx"]
        )
        #expect(try scan(["x/inference.onnx"], in: folder) == ["inference/1 x/inference.onnx"])
        #expect(try scan(["y/z/model.onnx"], in: folder) == ["z/1 y/z/model.onnx"])
        #expect(try scan(["y/../m/./a"], in: folder).count == 2)
    }

    @Test func `a link to a model is followed and keeps its own name`() throws {
        let folder = try folder("store/v7/1/model.onnx", "m/")
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("m/vowels"),
            withDestinationURL: folder.url.appendingPathComponent("store/v7")
        )
        #expect(try scan(["m"], in: folder) == ["vowels/1 m/vowels/1/model.onnx"])
    }

    @Test func `version folders that break the rules are listed and hide nothing`() throws {
        let folder = try folder(
            "m/a/0/model.onnx",
            "m/a/2/model.onnx",
            "m/a/03/model.onnx",
            "m/b/v1/model.onnx",
            "m/c/1/",
            "m/d/model.onnx",
            "m/e/99999999999999999999/model.onnx"
        )
        #expect(
            try scan(["m"], in: folder) == [
                "a/0! the version folder '0' is not a number of at least 1",
                "a/0! the version folder '03' is not a number of at least 1",
                "a/2 m/a/2/model.onnx",
                "b/0! the version folder 'v1' is not a number of at least 1",
                "c/1! there is no model.onnx",
                "d/0! model.onnx lies in the model's folder; expected d/1/model.onnx",
                "e/0! the version folder '99999999999999999999' is not a number of at least 1",
            ]
        )
    }

    @Test func `paths that hold no model are refused`() throws {
        let folder = try folder("empty/", "deep/er/", "text.txt", "m/a/")
        for name in ["empty", "deep", "m", "m/a"] {
            #expect(throws: RepositoryFault.noModels(path: path(name, in: folder))) {
                try scan([name], in: folder)
            }
        }
        #expect(throws: RepositoryFault.unreadable(path: path("gone", in: folder))) {
            try scan(["gone"], in: folder)
        }
        #expect(throws: RepositoryFault.notAModel(path: path("text.txt", in: folder))) {
            try scan(["text.txt"], in: folder)
        }
        #expect(throws: RepositoryFault.noModels(path: "(no path given)")) { try scan([], in: folder) }
    }

    @Test func `two models of one name are refused, wherever they are`() throws {
        let folder = try folder("m/a/1/model.onnx", "n/a/2/model.onnx", "m/b.onnx", "n/b.onnx", "o/a.onnx")
        for paths in [["m", "n"], ["m/a", "n/a"], ["m/b.onnx", "n/b.onnx"], ["m/a", "o/a.onnx"]] {
            #expect(throws: RepositoryFault.self) { try scan(paths, in: folder) }
        }
        let twice = RepositoryFault.duplicateName(name: "a", paths: [path("m/a", in: folder)])
        #expect(throws: twice) { try scan(["m/a", "m/a/1"], in: folder) }
    }

    @Test(arguments: ["a:b", "a b", "a%20b", "a?b", "a#b", "a\\b", "a\u{7}b", "a\"b", "a\u{202E}b"])
    func `a name that cannot stand in a URL is refused`(name: String) throws {
        let folder = try folder("m/good/1/model.onnx", "m/\(name)/1/model.onnx")
        let fault = RepositoryFault.invalidName(name: name, path: path("m/\(name)", in: folder))
        #expect(throws: fault) { try scan(["m"], in: folder) }
    }

    @Test(arguments: ["a", "vowels-cnn", "A_1.2", "münchen", "模型"])
    func `ordinary names are taken`(name: String) {
        #expect(ModelName.isValid(name))
    }

    @Test(arguments: ["", ".", "..", ".a", "a/b", String(repeating: "a", count: 129)])
    func `names that are none are not`(name: String) {
        #expect(!ModelName.isValid(name))
    }

    @Test func `model json is looked for beside the file, then in the model's folder`() throws {
        let folder = try folder("m/a/1/model.onnx", "b.onnx")
        let model = try #require(
            try RepositoryScan.locations(at: [folder.url.appendingPathComponent("m")]).first
        )
        #expect(
            model.overrideCandidates.map(\.path)
                == [path("m/a/1/model.json", in: folder), path("m/a/model.json", in: folder)]
        )
        let file = try #require(
            try RepositoryScan.locations(at: [folder.url.appendingPathComponent("b.onnx")]).first
        )
        #expect(file.overrideCandidates.map(\.path) == [path("model.json", in: folder)])
    }
}
