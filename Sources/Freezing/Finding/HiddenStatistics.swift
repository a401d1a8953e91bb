import Inference
import ONNXGraph

/// Finds what may be a batch statistic and was not recognised as one.
enum HiddenStatistics {
    static func warnings(
        _ model: Model,
        _ sites: [FoundSite],
        mask: Signature?
    ) throws(FreezeError) -> [String] {
        []
    }
}
