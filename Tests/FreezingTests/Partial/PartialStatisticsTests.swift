import Foundation
import Freezing
import ONNXGraph
import Safetensors
import Statistics
import TensorCore
import TestSupport
import Testing

struct PartialStatisticsTests {
    private static let settings = ["padding": "exclude"]

    static func empty(model: String = "abc", settings: [String: String] = settings) -> PartialStatistics {
        PartialStatistics(
            model: model,
            settings: settings,
            accumulators: [
                PopulationAccumulator(label: "conv.bn", parts: [.mean, .variance, .count]),
                PopulationAccumulator(label: "scan.bn", depth: 1, parts: [.mean]),
            ]
        )
    }

    /// Adds the batch of a number: random statistics, of a random length.
    static func add(_ number: Int, to partial: inout PartialStatistics) throws {
        var random = SplitMix(seed: number)
        func values(_ dimensions: [Int]) throws -> Tensor {
            let shape = try Shape(checking: dimensions)
            return try Tensor(
                (0..<shape.elementCount).map { _ in Float.random(in: 0...1, using: &random) },
                shape: shape
            )
        }
        let length = Int.random(in: 1...5, using: &random)
        let input = try values([length, 3])
        try partial.accumulators[0].add(
            BatchStatistic(
                mean: values([1, 3, 1]),
                variance: values([1, 3, 1]),
                count: Tensor(scalar: Int64(length))
            )
        )
        try partial.accumulators[1].add(BatchStatistic(mean: values([length, 2]), extents: [length]))
        var digest = DataDigest()
        digest.add(["x": input])
        partial.count(digest, sequences: 3, positions: 2 * length)
    }

    static func sample(_ numbers: some Sequence<Int>) throws -> PartialStatistics {
        var partial = empty()
        for number in numbers { try add(number, to: &partial) }
        return partial
    }

    private func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "partial-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    @Test(arguments: 0..<12) func `any split of the batches, merged in any order, gives the same bytes`(
        seed: Int
    ) throws {
        var random = SplitMix(seed: seed)
        let whole = try Self.sample(0..<9)
        try withFolder { folder in
            var rest = Array(0..<9).shuffled(using: &random)[...]
            var files: [URL] = []
            while !rest.isEmpty {
                let count = Int.random(in: 0...rest.count, using: &random)
                let file = folder.appendingPathComponent("\(files.count).safetensors")
                try Self.sample(rest.prefix(count)).write(to: file)
                files.append(file)
                rest = rest.dropFirst(count)
            }
            let merged = try PartialStatistics.merging(contentsOf: files.shuffled(using: &random))
            #expect(merged == whole)
            #expect(try merged.serialized() == whole.serialized())
            #expect(merged.batches == 9 && merged.sequences == 27)
        }
    }

    @Test func `statistics of nothing are stored as well`() throws {
        let empty = Self.empty()
        var read = try PartialStatistics(serialized: empty.serialized())
        #expect(read == empty)
        try read.merge(Self.sample([1]))
        #expect(try read == Self.sample([1]))
    }

    @Test func `the file does not grow with the number of batches`() throws {
        let size = try Self.sample(0..<10).serialized().count
        #expect(try Self.sample(0..<300).serialized().count < 2 * size)
    }

    @Test func `shares of different models, options and normalizations are refused`() throws {
        var partial = try Self.sample([1])
        let before = partial
        #expect(throws: PartialError.modelsDiffer("abc", "def")) {
            try partial.merge(Self.empty(model: "def"))
        }
        #expect(throws: PartialError.settingsDiffer("padding", "exclude", "include")) {
            try partial.merge(Self.empty(settings: ["padding": "include"]))
        }
        #expect(throws: PartialError.settingsDiffer("padding", "exclude", nil)) {
            try partial.merge(Self.empty(settings: [:]))
        }
        var fewer = Self.empty()
        fewer.accumulators.removeLast()
        #expect(throws: PartialError.sitesDiffer) { try partial.merge(fewer) }
        var other = Self.empty()
        try other.accumulators[0].add(
            BatchStatistic(
                mean: Tensor(scalar: Float(1)),
                variance: Tensor(scalar: Float(1)),
                count: Tensor(scalar: Float(1))
            )
        )
        #expect(throws: PartialError.self) { try partial.merge(other) }
        #expect(partial == before)
    }

    @Test func `the same share twice is refused, and both files are named`() throws {
        try withFolder { folder in
            let files = ["a", "b"].map { folder.appendingPathComponent($0) }
            for file in files { try Self.sample(0..<3).write(to: file) }
            #expect(throws: PartialError.sameData(files[0].path, files[1].path)) {
                try PartialStatistics.merging(contentsOf: files)
            }
        }
        #expect(throws: PartialError.nothingToMerge) { try PartialStatistics.merging(contentsOf: []) }
    }

    @Test func `a file of something else is refused and named`() throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("x.safetensors")
            let missing = PartialError.file(
                file.path,
                .unreadable(.unreadable(file: file.path, reason: "there is no such file"))
            )
            #expect(throws: missing) { try PartialStatistics.merging(contentsOf: [file]) }
            #expect(missing.description == "\(file.path): there is no such file")
            try SafetensorsFile(tensors: [:]).serialized().write(to: file)
            #expect(throws: PartialError.file(file.path, .notPartial)) {
                try PartialStatistics.merging(contentsOf: [file])
            }
            for (json, error) in [
                ("{", PartialError.malformed("its header")),
                (#"{"version":"2"}"#, .unsupportedVersion("2")),
                (#"{"version":"1"}"#, .malformed("its header")),
            ] {
                let bytes = try SafetensorsFile(tensors: [:], metadata: ["seqnorm.partial": json])
                    .serialized()
                #expect(throws: error) { try PartialStatistics(serialized: bytes) }
            }
        }
    }

    @Test func `a folder that is not there is named`() {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString).appendingPathComponent("x")
        #expect(
            throws: PartialError.unwritable(.unwritable(file: file.path, reason: "No such file or directory"))
        ) {
            try Self.empty().write(to: file)
        }
    }

    @Test(arguments: 0..<10) func `changed bytes are read or refused, and never trap`(seed: Int) throws {
        var random = SplitMix(seed: seed)
        let original = try Self.sample(0..<3).serialized()
        for _ in 0..<60 {
            var bytes = original
            let place = Int.random(in: bytes.indices, using: &random)
            bytes[place] =
                [0x30, 0x39, 0x2D, 0x65, bytes[place] ^ 0x40][Int.random(in: 0..<5, using: &random)]
            guard var read = try? PartialStatistics(serialized: bytes) else { continue }
            try? read.merge(Self.sample([7]))
            for accumulator in read.accumulators {
                for estimator in Estimator.allCases {
                    _ = try? accumulator.estimate(estimator, tail: .repeat)
                }
            }
        }
    }
}

struct DataDigestTests {
    private func digest(_ inputs: [String: Tensor]...) -> DataDigest {
        var digest = DataDigest()
        for input in inputs { digest.add(input) }
        return digest
    }

    private let a = ["x": Tensor(repeating: Float(1), shape: [2, 3]), "mask": Tensor(scalar: Float(1))]
    private let b = ["x": Tensor(repeating: Float(2), shape: [2, 3])]

    @Test func `order and split do not matter`() {
        #expect(digest(a, b) == digest(b, a))
        var merged = digest(b)
        merged.merge(digest(a))
        #expect(merged == digest(a, b))
        #expect(merged.description.count == 64)
        #expect(DataDigest(merged.description) == merged)
    }

    @Test func `every other content gives another digest`() {
        let reshaped = ["x": Tensor(repeating: Float(2), shape: [3, 2])]
        let renamed = ["y": Tensor(repeating: Float(2), shape: [2, 3])]
        let retyped = ["x": Tensor(repeating: Int32(bitPattern: Float(2).bitPattern), shape: [2, 3])]
        let digests = [
            digest(), digest(a), digest(b), digest(b, b), digest(a, b), digest(reshaped), digest(renamed),
            digest(retyped),
        ]
        #expect(Set(digests).count == digests.count)
    }

    @Test func `other text is no digest`() {
        #expect(DataDigest("") == nil)
        #expect(DataDigest(String(repeating: "g", count: 64)) == nil)
        #expect(DataDigest(String(repeating: "+", count: 64)) == nil)
        #expect(DataDigest(String(repeating: "0", count: 64)) == DataDigest())
    }
}
