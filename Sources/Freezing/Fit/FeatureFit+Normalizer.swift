internal import FoundationEssentials
public import ONNXGraph
public import Statistics
internal import TensorCore

/// A model that normalizes features, made of nothing but data.
public struct NormalizerModel: Sendable {
    /// The model, valid and ready to be served or run by any ONNX runtime.
    public var model: Model
    /// What is in it.
    public var statistics: PopulationStatistics
    /// Sentences about channels that will not be normalized well.
    public var warnings: [String]
}

extension FeatureFit {
    /// The key of ``normalizerModel(toolVersion:data:epsilon:)``'s account of itself in the model's metadata.
    public static let provenanceKey = "seqnorm.fit"

    /// A model that normalizes features with the population's statistics.
    ///
    /// Inputs are `features` `[batch, C, time]` and `mask` `[batch, 1, time]`, the output is `normalized`
    /// `[batch, C, time]`: `(x - mean) / sqrt(variance + epsilon)`, and 0 at padding, where nothing of the input is
    /// read, not even NaN.
    ///
    /// A channel that never changes is kept and named in a warning: it is 0 for the value that it had.
    ///
    /// - Parameters:
    ///   - toolVersion: The version of the program.
    ///   - names: What the data is called, such as the names of its files.
    ///   - epsilon: What is added to a variance, above 0.
    /// - Returns: The model, its statistics, and warnings.
    /// - Throws: ``FitError/noPositions``, ``FitError/outOfRange(channel:)`` or ``FitError/model(_:)``.
    public func normalizerModel(
        toolVersion: String,
        data names: [String] = [],
        epsilon: Float = 1e-5
    ) throws(FitError) -> NormalizerModel {
        let statistics = try population()
        var model = Model(
            graph: try Self.graph(statistics, channels: channels, epsilon: epsilon),
            irVersion: 8,
            opsetImports: ["": 17]
        )
        model.producerName = "seqnorm"
        model.producerVersion = toolVersion
        model.metadata = [
            "bn_population": Self.json(
                ["mean", "variance"].map { part in
                    Label(label: "\(Self.label).\(part)", initializer: "\(Self.label).\(part)", graph: [])
                }
            ),
            Self.provenanceKey: Self.json(
                Provenance(
                    tool: "seqnorm",
                    toolVersion: toolVersion,
                    data: names,
                    dataDigest: data.description,
                    sequences: sequences,
                    positions: positions,
                    estimator: statistics.estimator,
                    varianceDivisor: statistics.varianceDivisor
                )
            ),
        ]
        do { try model.validate() } catch { throw .model(error) }
        return NormalizerModel(model: model, statistics: statistics, warnings: warnings())
    }

    private struct Label: Encodable {
        let label: String
        let initializer: String
        let graph: [String]
    }

    private struct Provenance: Encodable {
        let tool: String
        let toolVersion: String
        let data: [String]
        let dataDigest: String
        let sequences: Int
        let positions: Int
        let estimator: Estimator
        let varianceDivisor: String

        enum CodingKeys: String, CodingKey {
            case tool, data, sequences, positions, estimator
            case toolVersion = "tool_version"
            case dataDigest = "data_digest"
            case varianceDivisor = "variance_divisor"
        }
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static func graph(
        _ statistics: PopulationStatistics,
        channels: Int,
        epsilon: Float
    ) throws(FitError) -> Graph {
        let shape: Shape
        do { shape = try Shape(checking: [channels]) } catch { throw .tooManyChannels(channels) }
        guard let mean = statistics.mean, let variance = statistics.variance else { throw .noPositions }
        func value(_ name: String, _ features: Int) -> ValueInfo {
            ValueInfo(
                name,
                elementType: .float32,
                dimensions: [.symbol("batch"), .fixed(features), .symbol("time")]
            )
        }
        return Graph(
            name: "normalizer",
            nodes: [
                Node(
                    "BatchNormalization",
                    name: label,
                    inputs: [label, "scale", "bias", "\(label).mean", "\(label).variance"],
                    outputs: ["normalized_all"],
                    attributes: [Attribute("epsilon", .float(epsilon))]
                ),
                Node(
                    "Cast",
                    name: "is_real",
                    inputs: ["mask"],
                    outputs: ["is_real"],
                    attributes: [Attribute("to", .int(ElementType.bool.onnxCode))]
                ),
                Node(
                    "Where",
                    name: "zero_padding",
                    inputs: ["is_real", "normalized_all", "zero"],
                    outputs: ["normalized"]
                ),
            ],
            initializers: [
                Initializer("\(label).mean", mean),
                Initializer("\(label).variance", variance),
                Initializer("scale", Tensor(repeating: Float(1), shape: shape)),
                Initializer("bias", Tensor(repeating: Float(0), shape: shape)),
                Initializer("zero", Tensor(scalar: Float(0))),
            ],
            inputs: [value(label, channels), value("mask", 1)],
            outputs: [value("normalized", channels)]
        )
    }

    /// How far a mean in float32 may be from the true one, in standard deviations, before it is worth a word.
    private static let meanTolerance = 1e-3

    private func warnings() -> [String] {
        let (mean, variance) = moments()
        let constant = (0..<channels).filter { variance[$0] == 0 }
        let coarse = (0..<channels).filter { channel in
            let error = abs(mean[channel] - Double(Float(mean[channel])))
            return variance[channel] > 0 && error > Self.meanTolerance * variance[channel].squareRoot()
        }
        var warnings: [String] = []
        if !constant.isEmpty {
            warnings.append(
                "\(Self.list(constant)) never changes: its variance is 0, and it is only shifted to 0"
            )
        }
        if !coarse.isEmpty {
            warnings.append(
                "\(Self.list(coarse)) varies so little beside its mean that float32 holds the mean only roughly; "
                    + "subtract a constant from the data first"
            )
        }
        return warnings
    }

    private static func list(_ channels: [Int]) -> String {
        let shown = channels.prefix(10).map(String.init).joined(separator: ", ")
        let rest = channels.count > 10 ? " and \(channels.count - 10) more" : ""
        return channels.count == 1 ? "feature \(shown)" : "each of the features \(shown)\(rest)"
    }
}
