public import Inference
public import ONNXGraph
import TensorCore

extension FreezePlan {
    /// Finds the normalizations of a frozen graph, to estimate their statistics anew.
    ///
    /// Each computes the statistics of its batch's valid positions again, as in training; everything after is as for a
    /// training graph, and the new statistics take the place of the old ones in the file.
    ///
    /// - Parameters:
    ///   - model: A valid model whose normalizations have population statistics.
    ///   - signature: What its inputs and outputs mean; nil if that is not known.
    ///   - options: How the statistics are estimated.
    /// - Throws: ``FreezeError/noNormalization`` if it has none.
    /// - Complexity: O(nodes).
    public init(
        recalibrating model: Model,
        signature: Signature? = nil,
        options: FreezeOptions = FreezeOptions()
    ) throws(FreezeError) {
        let model = try model.withoutFunctions()
        var found: [FoundSite] = []
        var former: [SiteValues] = []
        for site in NormalizationSite.sites(in: model) {
            guard let (foundSite, values) = try Recalibration.site(site, in: model) else { continue }
            found.append(foundSite)
            former.append(values)
        }
        guard !found.isEmpty else { throw .noNormalization }
        try self.init(model, signature, options, found, former: former)
    }
}
