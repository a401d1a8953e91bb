public import FoundationEssentials
internal import ONNXGraph
internal import Safetensors
internal import Statistics
internal import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension PartialStatistics {
    /// The version of the file format that is written and read.
    static let formatVersion = "1"
    private static let key = "seqnorm.partial"

    /// What stands in a file's metadata, as JSON under `seqnorm.partial`.
    private struct Header: Codable {
        var version: String
        var model: String
        var settings: [String: String]
        var batches: Int
        var sequences: Int
        var positions: Int
        var data: String
        var statistics: [AccumulatorOutline]
    }

    /// Encodes the statistics as a safetensors file: the same bytes for equal statistics.
    ///
    /// - Returns: The content of a file.
    /// - Throws: ``PartialError/malformed(_:)`` if a text is not valid.
    public func serialized() throws(PartialError) -> Data {
        let header = Header(
            version: Self.formatVersion,
            model: model,
            settings: settings,
            batches: batches,
            sequences: sequences,
            positions: positions,
            data: data.description,
            statistics: accumulators.map(\.outline)
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(header) else { throw .malformed("its header") }
        var file = SafetensorsFile(tensors: [:], metadata: [Self.key: String(decoding: json, as: UTF8.self)])
        for (index, accumulator) in accumulators.enumerated() {
            for (name, tensor) in accumulator.tensors { file.tensors["\(index).\(name)"] = tensor }
        }
        do { return try file.serialized() } catch { throw .unreadable(error) }
    }

    /// Writes the statistics to a file, whole or not at all.
    ///
    /// - Parameter file: The file; replaced if it exists.
    /// - Throws: ``PartialError/unwritable(_:)``.
    public func write(to file: URL) throws(PartialError) {
        let bytes = try serialized()
        do { try AtomicFile.write(bytes, to: file.path) } catch { throw .unwritable(error) }
    }

    /// Reads a file.
    ///
    /// - Parameter file: A file that ``write(to:)`` wrote.
    /// - Throws: ``PartialError/unreadable(_:)``, ``PartialError/notPartial``,
    ///   ``PartialError/unsupportedVersion(_:)``, ``PartialError/malformed(_:)`` or ``PartialError/statistics(_:)``.
    public init(contentsOf file: URL) throws(PartialError) {
        do {
            try self.init(SafetensorsFile(contentsOf: file))
        } catch let error as SafetensorsError {
            throw .unreadable(error)
        } catch let error as PartialError {
            throw error
        } catch {
            throw .notPartial
        }
    }

    /// Decodes statistics.
    ///
    /// - Parameter bytes: What ``serialized()`` gave.
    /// - Throws: As ``init(contentsOf:)``.
    public init(serialized bytes: Data) throws(PartialError) {
        let file: SafetensorsFile
        do { file = try SafetensorsFile(serialized: bytes) } catch { throw .unreadable(error) }
        try self.init(file)
    }

    private init(_ file: SafetensorsFile) throws(PartialError) {
        guard let text = file.metadata[Self.key] else { throw .notPartial }
        let decoder = JSONDecoder()
        guard let header = try? decoder.decode(Header.self, from: Data(text.utf8)) else {
            struct Version: Decodable { let version: String }
            let version = try? decoder.decode(Version.self, from: Data(text.utf8)).version
            guard let version, version != Self.formatVersion else { throw .malformed("its header") }
            throw .unsupportedVersion(version)
        }
        guard header.version == Self.formatVersion else { throw .unsupportedVersion(header.version) }
        let counts = [header.batches, header.sequences, header.positions]
        guard counts.allSatisfy({ (0...(1 << 53)).contains($0) }), let data = DataDigest(header.data)
        else { throw .malformed("its header") }
        self.init(
            model: header.model,
            settings: header.settings,
            accumulators: try Self.accumulators(header.statistics, file.tensors),
            batches: header.batches,
            sequences: header.sequences,
            positions: header.positions,
            data: data
        )
    }

    /// The accumulators, each with the tensors whose names begin with its number.
    private static func accumulators(
        _ outlines: [AccumulatorOutline],
        _ tensors: [String: Tensor]
    ) throws(PartialError) -> [PopulationAccumulator] {
        var tables = [[String: Tensor]](repeating: [:], count: outlines.count)
        for (name, tensor) in tensors {
            guard let dot = name.firstIndex(of: "."), let index = Int(name[..<dot]),
                outlines.indices.contains(index)
            else { throw .malformed("tensor '\(name)' belongs to no statistic") }
            tables[index][String(name[name.index(after: dot)...])] = tensor
        }
        var accumulators: [PopulationAccumulator] = []
        do {
            for (outline, table) in zip(outlines, tables) {
                accumulators.append(try PopulationAccumulator(outline: outline, tensors: table))
            }
        } catch {
            throw .statistics(error)
        }
        return accumulators
    }
}
