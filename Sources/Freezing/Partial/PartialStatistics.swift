public import FoundationEssentials
public import Statistics

/// The statistics of a share of the data, which merge with those of the rest to the same bits as one run over all.
///
/// Memory and file size depend on the statistics and their steps, not on the number of batches.
///
/// ```swift
/// var all = try PartialStatistics(contentsOf: URL(filePath: "share-0.safetensors"))
/// try all.merge(PartialStatistics(contentsOf: URL(filePath: "share-1.safetensors")))
/// ```
public struct PartialStatistics: Sendable, Equatable {
    /// The SHA-256 digest of the training model's file, in hexadecimal digits.
    public let model: String
    /// The options that change values, such as `["padding": "exclude"]`.
    public let settings: [String: String]
    /// One for each normalization, in the order of the model.
    public var accumulators: [PopulationAccumulator]
    /// How many batches were seen.
    public private(set) var batches = 0
    /// How many sequences were seen.
    public private(set) var sequences = 0
    /// How many valid positions were seen.
    public private(set) var positions = 0
    /// Which batches were seen.
    public private(set) var data = DataDigest()

    /// The statistics of no data.
    ///
    /// - Parameters:
    ///   - model: The SHA-256 digest of the training model's file.
    ///   - settings: The options that change values.
    ///   - accumulators: One for each normalization, without batches.
    public init(model: String, settings: [String: String], accumulators: [PopulationAccumulator]) {
        self.model = model
        self.settings = settings
        self.accumulators = accumulators
    }

    /// Counts a batch, whose statistics are added to ``accumulators`` apart.
    ///
    /// - Parameters:
    ///   - digest: The digest of this batch alone.
    ///   - sequences: Its sequences.
    ///   - positions: Its valid positions.
    public mutating func count(_ digest: DataDigest, sequences: Int, positions: Int) {
        data.merge(digest)
        batches += 1
        self.sequences += sequences
        self.positions += positions
    }

    /// Adds the statistics of another share of the data.
    ///
    /// - Parameter other: Of the same model, with the same settings.
    /// - Throws: ``PartialError``; nothing is added then.
    public mutating func merge(_ other: PartialStatistics) throws(PartialError) {
        guard model == other.model else { throw .modelsDiffer(model, other.model) }
        for key in Set(settings.keys).union(other.settings.keys).sorted()
        where settings[key] != other.settings[key] {
            throw .settingsDiffer(key, settings[key], other.settings[key])
        }
        guard accumulators.map(\.label) == other.accumulators.map(\.label) else { throw .sitesDiffer }
        var merged = self
        do throws(StatisticsError) {
            for (index, accumulator) in other.accumulators.enumerated() {
                try merged.accumulators[index].merge(accumulator)
            }
        } catch {
            throw .statistics(error)
        }
        let totals = [
            (batches, other.batches), (sequences, other.sequences), (positions, other.positions),
        ].map { $0.addingReportingOverflow($1) }
        guard !totals.contains(where: \.overflow) else {
            throw .malformed("it counts more than can be counted")
        }
        (merged.batches, merged.sequences, merged.positions) =
            (totals[0].partialValue, totals[1].partialValue, totals[2].partialValue)
        merged.data.merge(other.data)
        self = merged
    }

    /// Reads files and merges them, in any order to the same bits.
    ///
    /// - Parameter files: At least one.
    /// - Returns: The statistics of all.
    /// - Throws: ``PartialError``, in ``PartialError/file(_:_:)``; ``PartialError/sameData(_:_:)`` if two files are of the same
    ///   batches, which would count them twice.
    public static func merging(contentsOf files: [URL]) throws(PartialError) -> PartialStatistics {
        var seen: [DataDigest: URL] = [:]
        var all: PartialStatistics?
        for file in files {
            do throws(PartialError) {
                let part = try PartialStatistics(contentsOf: file)
                if part.batches > 0, let other = seen.updateValue(file, forKey: part.data) {
                    throw PartialError.sameData(other.path, file.path)
                }
                guard all != nil else {
                    all = part
                    continue
                }
                try all?.merge(part)
            } catch {
                if case .sameData = error { throw error }
                throw .file(file.path, error)
            }
        }
        guard let all else { throw .nothingToMerge }
        return all
    }

    init(
        model: String,
        settings: [String: String],
        accumulators: [PopulationAccumulator],
        batches: Int,
        sequences: Int,
        positions: Int,
        data: DataDigest
    ) {
        self.init(model: model, settings: settings, accumulators: accumulators)
        self.batches = batches
        self.sequences = sequences
        self.positions = positions
        self.data = data
    }
}
